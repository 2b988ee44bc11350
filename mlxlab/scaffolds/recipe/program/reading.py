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
        gaps = np.isnan(seen), np.isnan(new)
        middle = 0.0 if gaps[0].all() else np.median(seen[~gaps[0]])
        filled = np.where(gaps[0], middle, seen), np.where(gaps[1], middle, new)
        return [filled, gaps] if gaps[0].any() else [filled]


    def dates(seen, new):
        """A column of dates as numbers."""
        seen = pd.DatetimeIndex(pd.to_datetime(seen, errors="coerce"))
        new = pd.DatetimeIndex(pd.to_datetime(new, errors="coerce"))
        start = pd.Timestamp("2000-01-01")
        pairs = [((seen - start).days, (new - start).days)]
        for part in ("month", "dayofyear", "dayofweek", "hour"):
            pairs.append((getattr(seen, part), getattr(new, part)))
        return [pair for a, b in pairs for pair in numbers(a.to_numpy(float), b.to_numpy(float))]


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
        counts = Counter(seen)
        names = sorted(counts, key=lambda name: (-counts[name], name))
    <encoding>


    def features():
        """Every column that both tables have, as numbers."""
        pairs = []
        for name in test:
            if name not in train or name in (ID, *TARGETS):
                continue
            sides = train[name], test[name]
            if all(pd.api.types.is_numeric_dtype(side) for side in sides):
                pairs += numbers(*(side.to_numpy(float) for side in sides))
                continue
            seen, new = (["" if x != x else str(x) for x in side.tolist()] for side in sides)
            known = [text for text in seen if text]
            values, words = len(set(known)), sum(text.count(" ") for text in known) > 2 * len(known)
            if known and all(re.match(r"\\d{4}-\\d\\d-\\d\\d", text) for text in known):
                pairs += dates(seen, new)
            elif values > 50 and (words or values > len(known) / 2):
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
    seen, new = np.array(seen), np.array(new)
    return [(seen == name, new == name) for name in names[:20]]""",
    "ordinal": """\
    codes = {name: code for code, name in enumerate(names)}
    return [([codes[name] for name in seen], [codes.get(name, -1) for name in new])]""",
}

_STANDARD = ["import re", "import warnings", "from collections import Counter"]

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


def imports(problem: Problem) -> list[str]:
    """The lines with what the standard library gives."""
    return ["import warnings"] if problem.images else _STANDARD


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
