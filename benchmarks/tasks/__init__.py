"""Task detection, measured: macro-F1, accuracy, calibration, latency, beside baselines."""
