"""Everything that touches the world: the model, the tools, and what they need. One module per integration.

Modules here import each other and `workflows.contract`, never `worker` or `client`.
A new module with a function marked `@tool()` is a new tool; nothing else has to be registered.
"""
