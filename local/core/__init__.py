"""What every layer may use: settings, errors, ARNs, paths and ports."""
