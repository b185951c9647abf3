"""One module for each thing that is promised; each measures it and returns figures."""
