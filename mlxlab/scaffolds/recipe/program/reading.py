"""The part of a program that reads the task's files into X and X_test."""

from __future__ import annotations

from textwrap import dedent

from mlxlab.scaffolds.recipe.problem import Problem

_TABLES = dedent("""\
    train = pd.read_csv("input/<train>", dtype=<texts>)
    test = pd.read_csv("input/<test>", dtype={ID: str})
    if len(train) > ROWS:
        train = train.sample(ROWS, random_state=0)
""")

_COLUMNS = dedent('''\


    def numbers(seen, new):
        """A column of numbers, its gaps filled and marked."""
        seen, new = seen.astype(float), new.astype(float)
        middle = seen.median() if seen.notna().any() else 0.0
        marks = [(seen.isna(), new.isna())] if seen.isna().any() else []
        return [(seen.fillna(middle), new.fillna(middle)), *marks]


    def dates(seen, new):
        """A column of dates as numbers."""
        seen, new = (pd.to_datetime(each, errors="coerce") for each in (seen, new))
        origin = pd.Timestamp("2000-01-01")
        pairs = [((seen - origin).dt.days, (new - origin).dt.days)]
        for part in ("month", "dayofyear", "dayofweek", "hour"):
            pairs.append((getattr(seen.dt, part), getattr(new.dt, part)))
        return [pair for a, b in pairs for pair in numbers(a, b)]


    def texts(seen, new, words):
        """A column of texts by the weight of its commonest words, or groups of letters."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        unit = {} if words else {"analyzer": "char_wb", "ngram_range": (1, 3)}
        weigh = TfidfVectorizer(max_features=200, sublinear_tf=True, **unit)
        try:
            seen = weigh.fit_transform(seen).toarray()
        except ValueError:
            return []  # not one word in the whole column
        return list(zip(seen.T, weigh.transform(new).toarray().T))


    def categories(seen, new):
        """A column of categories."""
        counts = seen.value_counts()
        names = sorted(counts.index, key=lambda name: (-counts[name], name))
    <encoding>


    def features():
        """Every column that both tables have, as numbers."""
        pairs = []
        for name in test:
            if name not in train or name in (ID, *TARGETS):
                continue
            seen, new = train[name], test[name]
            if pd.api.types.is_numeric_dtype(seen) and pd.api.types.is_numeric_dtype(new):
                pairs += numbers(seen, new)
                continue
            known = seen.dropna().astype(str)
            if len(known) and known.str.match(r"\\d{4}-\\d\\d-\\d\\d").all():
                pairs += dates(seen, new)
                continue
            seen, new = (each.fillna("").astype(str) for each in (seen, new))
            words = known.str.count(" ").mean() > 2
            if known.nunique() > 50 and (words or known.nunique() > len(known) / 2):
                pairs += texts(seen, new, words)
            else:
                pairs += categories(seen, new)
        if not pairs:
            pairs = [(np.zeros(len(train)), np.zeros(len(test)))]
        return tuple(np.column_stack(side).astype(float) for side in zip(*pairs))


    X, X_test = features()
''')

_ENCODINGS = {
    "onehot": """\
    return [(seen == name, new == name) for name in names[:20]]""",
    "ordinal": """\
    codes = {name: code for code, name in enumerate(names)}
    return [(seen.map(codes), new.map(codes).fillna(-1))]""",
}

_IMAGES = dedent('''\


    def pixels(name, rows):
        """Images as rows of numbers; large ones at half their width and height."""
        images = np.load(f"input/{name}")[rows].astype(float)
        if min(images.shape[1:3]) >= 20:
            high, wide = (side // 2 * 2 for side in images.shape[1:3])
            images = images[:, :high, :wide]
            images = (images[:, ::2] + images[:, 1::2]) / 2
            images = (images[:, :, ::2] + images[:, :, 1::2]) / 2
        return images.reshape(len(images), -1)


    X = pixels("<train>", train.index)
    X_test = pixels("<test>", test.index)
''')


def reading(problem: Problem, encode: str) -> str:
    """The statements that end with X and X_test."""
    labels = "" if problem.kind == "regression" else ", **dict.fromkeys(TARGETS, str)"
    files = {"train": problem.train, "test": problem.test, "texts": f"{{ID: str{labels}}}"}
    code = _filled(_TABLES, files)
    if problem.images:
        train, test = problem.images
        return code + _filled(_IMAGES, {"train": train, "test": test})
    return code + _filled(_COLUMNS, {"encoding": _ENCODINGS[encode]})


def _filled(template: str, parts: dict[str, str]) -> str:
    for name, text in parts.items():
        template = template.replace(f"<{name}>", text)
    return template
