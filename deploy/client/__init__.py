"""For programs that embed Errand: start requests, follow them, decide about their calls. Knows no terminal."""
