"""Programs that an integrator would write. They know the platform by its API and its events alone."""
