"""One HTML page of one or several runs: tables, figures and a gallery of cases, in a single file that works offline."""
