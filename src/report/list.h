/* The report formats: FORMAT(variable). No include guard: included as an X-macro list. */
FORMAT(report_json)
