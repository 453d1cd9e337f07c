/* The report formats: FORMAT(variable). No include guard: included as an X-macro list. */
FORMAT(report_text)
FORMAT(report_json)
FORMAT(report_jsonl)
FORMAT(report_markdown)
FORMAT(report_html)
FORMAT(report_openmetrics)
FORMAT(report_pcapng)
