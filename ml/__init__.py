"""Anomaly detection, the cause classifier, calibration and evaluation."""
