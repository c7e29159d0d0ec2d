"""Execute one notebook in a kernel of its own, warm (forked) where it can be, else cold.

`execution` runs a template through Papermill, `warm` starts its kernel beneath Papermill, from the
`zygote` or as a new interpreter, and `kernel` is what both kernels do before they are kernels.
Nothing here knows of editions, ledgers or branches.
"""
