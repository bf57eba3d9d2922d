"""What apps see: views, macros, comments and checks as SQL, and the constants they share."""
