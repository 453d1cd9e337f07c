/*
 * The map from the judge's share of a cause to the confidence that is stated, piecewise linear;
 * written by `make calibrate` from runs of the fault lab. It rises throughout: it changes how sure
 * one is, never the order. No include guard: judge.c alone includes it.
 */
static const struct {
    double share, confidence;
} calibration[] = {
    {0.000, 0.000},
    {1.000, 1.000},
};
