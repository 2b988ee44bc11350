"""Trainers, and what they share; torch, transformers, trl and peft are imported in functions.

What trainers share:

    models.load_base(spec, *, texts=(), seed=0, dtype="auto", device="auto", lora=None,
                     checkpointing=False, template=None) -> Loaded
        A base for training: `tiny?hidden=128&...` (made of `texts`, deterministic by `seed`),
        `local:FOLDER`, a plain folder, an adapter's folder, a GGUF file.
        Loaded(model, tokenizer, base, device, context, adapted, facts); `lora` is a models.Lora
        or None for all weights. The model is in training mode with use_cache off, its tokenizer
        has a chat template and a pad token other than its end token where it can.
    models.quiet()                          no progress bars and advice of transformers and trl
    models.Weights, models.Lora             config mixins: fields lora, lora_r, dtype, device, ...
    prompts.prompt_ids(tokenizer, messages) -> list[int]
        Exactly what the policy `local` sends.
    prompts.completion_ids(tokenizer, messages, text, reasoning=None) -> list[int]
        What the model should draw after that prompt, the end of the turn included.
    prompts.end_ids(tokenizer) -> list[int]     the tokens that end an answer
    checkpoints.Checkpoints(folder, keep=2)
        .save(step, modules={"policy": model}, states={"optimizer": opt.state_dict()},
              counters={...})               trainable weights, optimizers, JSON, RNG; atomic
        .newest() -> Kept | None            .step .counters .states .load(modules) .restore_rng()
    final.save_final(job, loaded, facts, merge=True) -> PolicyRef     OUT/final with its card
    card.Facts(trainer, options, steps, ...), card.write_card(folder, facts)
    samples.Samples(out, after=step).add(step, rows)         OUT/samples.jsonl
"""
