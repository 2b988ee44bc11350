"""Trainers, and what they share; torch, transformers, trl and peft are imported in functions.

What trainers share:

    models.load(job, weights) -> Loaded     a job's base, by a config that inherits models.Weights
        (options lora, lora_r, save, dtype, device, gradient_checkpointing, chat_template, threads);
        a base made from nothing is kept in OUT/base.
    models.load_base(spec, *, texts=(), seed=0, dtype="auto", device="auto", lora=None,
                     checkpointing=False, template=None) -> Loaded
        `tiny?hidden=128&...` (made of `texts`, deterministic by `seed`), `local:FOLDER`, a plain
        folder, an adapter's folder, a GGUF file. `lora` is a models.Lora; None: all weights.
        Loaded(model, tokenizer, base, ends, context, adapted, bf16, ...), .device, .parameters():
        in training mode, use_cache off; the tokenizer has a template, an end token and a pad token.
    quiet.quiet()                           no progress bars and advice of transformers and trl
    prompts.prompt_ids(tokenizer, messages) -> list[int]
        Exactly what the policy `local` sends.
    prompts.completion_ids(tokenizer, messages, text, reasoning=None) -> list[int]
        What the model should draw after that prompt, the end of the turn included.
    prompts.end_ids(tokenizer) -> list[int]     the tokens that end an answer
    checkpoints.Checkpoints(folder, keep=2)
        .save(step, modules={"policy": model}, states={"optimizer": optimizer.state_dict()},
              counters={...})               trainable weights, optimizers, JSON, RNG; atomic
        .newest() -> Kept | None            .step, .counters, .load(modules), .states(name),
                                            .restore_rng()
    final.save_final(job, loaded, facts, merge=True) -> PolicyRef     OUT/final with its card
    card.Facts(trainer, options, steps, ...), card.write_card(folder, facts)
    sampling.Writer(net, tokenizer, ends, drawing).waves(prompts, samples, seed)
        Completions in batches, as `local` draws them; equal prompts are read once.
    sequences.Sequences.of(completions, pad, device), sequences.outputs(net, sequences)
    choosing.recorded(job, ideas), choosing.Chooser     the states of a job, and which are drawn
    prompting.Prompts(writer, context, warn)            prompts of states, where they fit
    drawn.draw(draws, scoring, asked, group, seed, clock)
        Actions, carried out while others are drawn.
    failures.told(job)                      whatever a library raises, as an error for people
    ideas.stripped(messages, ideas)         prompts without woven ideas
    tracking                                trackers, through accelerate
    losses                                  clipped surrogates, GAE, KL, whitening, masked means
    learning.Learner, journal.Journal       what trainers with an own loop share
    samples.Samples(out, after=step).add([samples.Sample(step=1, state=..., text=...)])
"""
