"""
One direct message on its way through the real service: the files, functions and shapes.

**Counted** is a text message that is answered with one piece, in a process that has answered
two before, on SQLite, with the adapter `agentkernel`, without the echo that Meta sends of the
answer. Watched is the package alone, by `sys.setprofile` in every thread of the service.

- A *call* is a call event of the profiler: a function that begins, and a coroutine or
  generator that goes on, comprehensions and lambdas included.
- A *function* is a qualified name of a module, a *module* a file.
- A *change of module* is a call event in another module than the one before it in its thread.

Not counted are log lines that are not written (the level is `error`), and a coroutine that
wakes up, calls nothing and waits on, as uvicorn's clock makes it do. Of several messages
that with the fewest calls and changes counts: a job of the background or an answer that came in two
packets got between the others.

Python 3.12 and later run a comprehension without a call: there the figures are lower.
"""
