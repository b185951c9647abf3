"""AG-UI: a run is posted, and its events become an answer; our tools are the front end's."""
