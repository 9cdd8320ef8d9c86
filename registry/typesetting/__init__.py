"""Templates and data to PDF/A, with bundled fonts and nothing of the system's."""
