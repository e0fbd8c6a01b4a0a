"""Of GitHub's 1,200 operations, is the one that a request is about among the tools that a model is shown?"""
