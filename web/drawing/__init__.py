"""Pictures drawn on the server as SVG, so that they need no script."""
