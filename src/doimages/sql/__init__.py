"""The language: StackQL's statements, and DuckDB's SQL within them. No I/O but the residual's engine."""
