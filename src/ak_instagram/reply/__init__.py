"""An agent's answer becomes pieces that Instagram takes; pure."""
