"""What the models of the simulated Copilot answer, one module per endpoint.

``chat``, ``responses``, ``messages`` and ``embeddings`` each have ``async def answer(world, account, model, request,
wire)``, ``messages`` also ``count_tokens``. The caller has checked the token, the tier, and that the account may use
the model; whether the model takes the endpoint, and everything in the body, is checked here.

What this package asks of its surroundings:

* ``world.scenario_for(request, account, words)`` with ``words`` a dict of scenario fields; ``world.seed``,
  ``world.time()``; ``world.ttft_ms`` and ``world.delay_ms``, the pace when the scenario names none;
  ``world.memory``, a ``memory.Memory`` made with the world and made anew by its reset;
  ``world.book(account, request, model, tokens)`` with ``tokens`` a ``usage.Bill``
  (``nano_aiu``, ``details``, ``tokens``);
* ``account.login``, ``account.billing``; ``model``, the ``catalogue.Model`` itself (not its entry in the list);
* ``wire.shape``, ``wire.broken`` and ``wire.wait_lost`` as they are in ``wire.Wire``.
"""
