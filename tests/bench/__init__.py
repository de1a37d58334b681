"""`python -m tests.bench`: the platform measured against its peers, in ratios taken side by side."""
