"""How often the ranking is right: recorded incidents with known truth, controls, figures, and the demo's tally."""
