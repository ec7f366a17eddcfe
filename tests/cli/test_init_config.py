import csv
import json
import random
import re
from statistics import pstdev

import pytest
from commands import call
from test_describe import shown_in

from trainer_cli.config.run_config import read_run_config

# Names that a config, a shell and a terminal could each take for something else.
ODD_NAMES = ["a.b", "sp ace", 'qu"ote', "${x}", "$$", "größe", "label", "[section]", "#", "tab\there", "@encoders", "*"]


def table(path, names, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def people(n, seed=0):
    """Rows of several kinds, what their class depends on, and what it does not."""
    draw = random.Random(seed)
    rows = []
    for i in range(n):
        age, city, joined = draw.randint(18, 80), draw.choice(["Oslo", "Rome", "Lima"]), draw.randint(1, 12)
        is_yes = (age > 45) != (city == "Rome")
        rows.append(
            {
                "id": i,
                "age": "" if i % 9 == 0 else age,
                "city": city,
                "zip": f"0{draw.randint(1000, 1004)}",
                "joined": f"2023-{joined:02}-11",
                "ok": draw.choice(["true", "false"]),
                "price": f"${draw.randint(1, 99)},000",
                "empty": "",
                "same": "x",
                "copy": int(is_yes),
                "spent": round(3 * age + 40 * (city == "Oslo") + draw.gauss(0, 5), 2),
                "bought": "yes" if is_yes else "no",
            }
        )
    return rows


def write_people(path, n=400, without=()):
    rows = [{name: value for name, value in row.items() if name not in without} for row in people(n)]
    table(path, rows[0], [row.values() for row in rows])
    return rows


def trained(config, *words):
    """The scores on the held-out rows of a run that the config at hand makes."""
    call("train", config, "--output", "run", "--quiet", *words)
    return json.loads(call("evaluate", "run", "--json").stdout)


def checked(config):
    """The config's text, which debug-config accepts and which has fewer than 60 lines."""
    call("debug-config", config)
    with open(config, encoding="utf-8") as file:
        text = file.read()
    assert len(text.splitlines()) < 60, text
    return text


def test_a_table_of_everything_gives_a_config_that_beats_the_commonest_class(folder):
    rows = write_people(folder / "people.csv", without=["spent"])
    result = call("init-config", "people.csv")
    assert "people.csv: 400 rows, 11 columns" in result.stdout
    assert "people.cfg is written." in result.stdout
    assert "Next: trainer train people.cfg --output out/people" in result.stdout
    text = checked("people.cfg")
    assert "stratified.v1" in text
    config = read_run_config("people.cfg").config
    used = [name for part in config["features"]["*"].values() for name in part["columns"]]
    assert used == ["age", "price", "city", "zip", "ok", "joined"]
    assert '"copy" (gives the target away' in text
    share = max(sum(row["bought"] == word for row in rows) for word in ("yes", "no")) / len(rows)
    assert trained("people.cfg", "--training.max_steps=300")["accuracy"] > share + 0.2


def test_a_number_to_predict_gives_a_config_that_beats_the_mean(folder):
    rows = write_people(folder / "people.csv", without=["bought", "copy"])
    call("init-config", "people.csv", "--output", "spent.cfg")
    text = checked("spent.cfg")
    assert "random.v1" in text
    scores = trained("spent.cfg", "--training.max_steps=300")
    assert scores["rmse"] < pstdev(row["spent"] for row in rows) / 2


def test_the_check_against_the_mean_sees_a_model_that_learnt_nothing(folder):
    rows = write_people(folder / "people.csv", without=["bought", "copy"])
    call("init-config", "people.csv")
    scores = trained("people.cfg", "--training.max_steps=1", "--optimizer.learn_rate.warmup=0")
    assert scores["rmse"] > pstdev(row["spent"] for row in rows) / 2


def test_fewer_steps_alone_can_be_asked_for(folder):
    write_people(folder / "people.csv", without=["spent"])
    call("init-config", "people.csv", "--target", "bought")
    assert "warmup = 0.05" in (folder / "people.cfg").read_text()
    assert trained("people.cfg", "--training.max_steps", "7")["n"] == 80


def test_a_leak_that_is_left_in_would_have_been_seen(folder):
    write_people(folder / "people.csv", without=["spent"])
    call("init-config", "people.csv")
    used = ["age", "copy"]
    scores = trained("people.cfg", "--training.max_steps=300", "--features.*.numbers.columns", json.dumps(used))
    assert scores["accuracy"] == 1.0


def test_odd_names_of_columns_and_files_come_through(folder):
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1) for _ in ODD_NAMES] for _ in range(120)]
    table(
        folder / "od d.$x.csv",
        [*ODD_NAMES, "tar.get $"],
        [[*row, "up" if sum(row[:2]) > 0 else "down"] for row in rows],
    )
    call("init-config", "od d.$x.csv", "--target", "tar.get $", "--output", "odd.cfg")
    checked("odd.cfg")
    config = read_run_config("odd.cfg").config
    assert config["features"]["*"]["numbers"]["columns"] == ODD_NAMES
    assert config["target"]["column"] == "tar.get $"
    assert config["data"]["train"]["path"] == "od d.$x.csv"
    assert trained("odd.cfg", "--training.max_steps=300")["accuracy"] > 0.7


def test_many_columns_and_reasons_stay_under_sixty_lines(folder):
    names = [f"a rather long name of a column, number {i}" for i in range(300)]
    kinds = [lambda i: "x", lambda i: "", lambda i: f"${i},000", lambda i: f"{i % 12 + 1}/{i % 11 + 1}/2024"]
    rows = [[*(kinds[k % 4](i + k) if k % 2 else i * k % 97 for k in range(300)), i % 2] for i in range(60)]
    table(folder / "wide.csv", [*names, "label"], rows)
    call("init-config", "wide.csv")
    checked("wide.cfg")


def test_dev_and_test_files_beside_the_data_are_used_and_told(folder):
    rows = people(300)
    for name, part in (("train", rows[:200]), ("dev", rows[200:250]), ("test", rows[250:])):
        table(folder / f"people-{name}.csv", rows[0], [row.values() for row in part])
    result = call("init-config", "people-train.csv", "--target", "bought")
    assert "It scores on people-dev.csv, which lies beside the data." in result.stdout
    assert "Then: trainer evaluate out/people-train people-test.csv" in result.stdout
    config = read_run_config("people-train.cfg").config
    assert config["data"]["dev"]["path"] == "people-dev.csv"
    assert "split" not in config["data"]
    checked("people-train.cfg")


def test_a_file_beside_the_data_with_other_columns_is_not_taken(folder):
    write_people(folder / "people.csv")
    table(folder / "people-dev.csv", ["x", "y"], [[1, 2]])
    call("init-config", "people.csv", "--target", "bought")
    assert "dev" not in read_run_config("people.cfg").config["data"]


def test_a_config_that_is_there_is_left_alone(folder):
    write_people(folder / "people.csv")
    (folder / "people.cfg").write_text("mine")
    assert "people.cfg: is there already; --force writes over it" in call("init-config", "people.csv", code=5).stderr
    assert (folder / "people.cfg").read_text() == "mine"
    call("init-config", "people.csv", "--target", "bought", "--force")
    assert "bought" in (folder / "people.cfg").read_text()


def test_to_standard_output_goes_the_config_alone(folder):
    write_people(folder / "people.csv")
    result = call("init-config", "people.csv", "--target", "bought", "--output", "-")
    assert result.stdout.startswith('# Predicts "bought" (classification: 2 classes) from 400 rows of people.csv.')
    assert "COLUMN" in result.stderr
    assert not (folder / "people.cfg").exists()
    (folder / "piped.cfg").write_text(result.stdout)
    checked("piped.cfg")


def test_speed_makes_a_smaller_model_and_fewer_steps(folder):
    write_people(folder / "people.csv")
    for how in ("accuracy", "speed"):
        call("init-config", "people.csv", "-t", "bought", "--optimize", how, "--output", f"{how}.cfg")
    accuracy, speed = (read_run_config(f"{how}.cfg").config for how in ("accuracy", "speed"))
    assert sum(speed["model"]["hidden"]) < sum(accuracy["model"]["hidden"])
    assert speed["training"]["max_steps"] < accuracy["training"]["max_steps"]
    assert "--optimize is accuracy or speed" in call("init-config", "people.csv", "--optimize", "sped", code=2).stderr


@pytest.mark.parametrize(
    ("names", "rows", "said"),
    [
        (["x", "label"], [["1", "a"], ["2", ""]], "label: 1 of 2 rows have no value to learn from"),
        (
            ["id", "label"],
            [[i, i % 2] for i in range(30)],
            "no column is left to predict from (id: it numbers the rows)",
        ),
        (["x", "label"], [[i * 7 % 5, "a"] for i in range(30)], "has the same value in every row"),
        (
            ["x", "y1"],
            [[f"name {i} of the {i}th", f"name {i} of {i} other"] for i in range(30)],
            "name it with --target",
        ),
    ],
)
def test_what_nothing_can_be_learnt_from_is_told_and_no_config_written(folder, names, rows, said):
    table(folder / "bad.csv", names, rows)
    assert said in call("init-config", "bad.csv", code=2).stderr
    assert not (folder / "bad.cfg").exists()


@pytest.mark.parametrize("target", ["bought", "spent"])
def test_rows_without_a_target_are_left_out_all_the_way(folder, target):
    rows = people(400)
    for row in rows[::10]:
        row[target] = "" if row["id"] % 20 else "NA"
    table(folder / "people.csv", rows[0], [row.values() for row in rows])
    told = "40 of 400 rows have nothing in it, or a word for that such as NA: they are left out."
    assert told in call("init-config", "people.csv", "--target", target).stdout
    assert 'missing = "skip"' in (folder / "people.cfg").read_text()
    assert "data.train: 40 rows without a target left out" in call("debug-config", "people.cfg").stdout
    said = call("train", "people.cfg", "--output", "run", "--training.max_steps", 20)
    assert said.output.count("data.train: 40 rows without a target left out") == 1
    assert json.loads(call("evaluate", "run", "--json").stdout)["n"] == 72  # a fifth of those with a target
    whole = call("evaluate", "run", "people.csv", "--json")
    assert json.loads(whole.stdout)["n"] == 360
    assert whole.stderr == "40 rows without a target left out\n"
    assert len(call("predict", "run", "people.csv").stdout.splitlines()) == 401


def test_numbers_as_people_write_them_are_read_all_the_way(folder):
    draw = random.Random(3)
    rows = []
    for i in range(200):
        area, share = draw.uniform(500, 3000), draw.uniform(0, 100)
        area_text, rent = (f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in (area, 2 * area + share))
        rows.append([area_text, f"{share:.0f} %", i * 7 % 13, f"{rent} \u20ac"])
    table(folder / "flats.csv", ["area", "share", "n", "rent"], rows)
    told = call("init-config", "flats.csv").stdout
    assert 'decimal = ",", thousands = "."' in told
    config = read_run_config("flats.cfg").config
    assert config["target"] == {
        "@encoders": "numbers.v1",
        "column": "rent",
        "decimal": ",",
        "thousands": ".",
        "units": True,
    }
    parts = list(config["features"]["*"].values())
    assert [part["columns"] for part in parts] == [["n"], ["area"], ["share"]]
    call("train", "flats.cfg", "--output", "run", "--training.max_steps", 20, "--quiet")
    assert json.loads(call("evaluate", "run", "flats.csv", "--json").stdout)["n"] == 200
    first = csv.DictReader(call("predict", "run", "flats.csv").stdout.splitlines()).__next__()
    assert (first["rent"], first["area"]) == (rows[0][3], rows[0][0])
    assert 500 < float(first["prediction"]) < 7000


def test_a_target_without_gaps_is_strict(folder):
    write_people(folder / "people.csv")
    assert "they are left out" not in call("init-config", "people.csv", "--target", "bought").stdout
    assert "missing = " not in (folder / "people.cfg").read_text()


def test_a_lopsided_target_is_scored_by_more_than_accuracy(folder):
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1), "no" if i % 10 else "yes"] for i in range(300)]
    table(folder / "rare.csv", ["x", "label"], rows)
    call("init-config", "rare.csv")
    assert "90% of the rows are of one class" in checked("rare.cfg")
    assert next(iter(read_run_config("rare.cfg").config["metrics"])) == "f_score"


def test_a_category_of_many_values_has_vectors(folder):
    draw = random.Random(0)
    rows = [[f"shop{draw.randint(0, 60)}", draw.gauss(0, 1)] for _ in range(600)]
    labels = [int((row[0][-1] in "02468") != (draw.random() < 0.05)) for row in rows]
    table(
        folder / "shops.csv", ["shop", "x", "label"], [[*row, label] for row, label in zip(rows, labels, strict=True)]
    )
    call("init-config", "shops.csv")
    checked("shops.cfg")
    assert read_run_config("shops.cfg").config["model"]["@layers"] == "tabular.v1"
    assert trained("shops.cfg", "--training.max_steps=500")["accuracy"] > 0.8


WORDS = {"DET": ["the", "a"], "NOUN": ["dog", "cat", "house"], "VERB": ["runs", "sees"], "ADJ": ["big", "small"]}


def write_reviews(path, n=300):
    draw = random.Random(0)
    with open(path, "w", encoding="utf-8") as file:
        for i in range(n):
            is_good = draw.random() < 0.5
            words = [draw.choice(["box", "day", "shop", "it", "was", "very"]) for _ in range(8)]
            words += [draw.choice(["great", "lovely"] if is_good != (draw.random() < 0.05) else ["awful", "poor"])]
            draw.shuffle(words)
            print(json.dumps({"id": f"r{i}", "text": " ".join(words), "good": is_good}), file=file)


def test_texts_give_a_config_that_reads_their_words(folder):
    write_reviews(folder / "reviews.jsonl")
    call("init-config", "reviews.jsonl")
    checked("reviews.cfg")
    config = read_run_config("reviews.cfg").config
    assert (config["model"]["@layers"], config["features"]["column"]) == ("text_bow.v1", "text")
    assert (config["features"]["word_ngrams"], config["features"]["char_ngrams"]) == (3, [2, 6])
    assert (config["features"]["min_count"], config["optimizer"]["@optimizers"]) == (1, "SGD.v1")
    assert trained("reviews.cfg", "--training.max_steps=200")["accuracy"] > 0.8


def test_tokens_and_tags_give_a_tagger(folder):
    draw = random.Random(0)
    with open(folder / "tags.conll", "w") as file:
        for _ in range(120):
            kinds = draw.choice([["DET", "NOUN", "VERB"], ["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN"]])
            file.writelines(f"{draw.choice(WORDS[kind])}\t{kind}\n" for kind in kinds)
            file.write("\n")
    call("init-config", "tags.conll")
    checked("tags.cfg")
    assert trained("tags.cfg", "--training.max_steps=40")["accuracy"] > 0.9


@pytest.mark.parametrize("separator", ["|", None])
def test_several_labels_a_row_are_seen(folder, separator):
    draw = random.Random(0)
    rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(300)]
    labels = [[name for name, has in (("sun", a > 0), ("rain", b > 0.3), ("wind", a + b > 1)) if has] for a, b in rows]
    name = "sky.csv" if separator else "sky.jsonl"
    if separator:
        table(
            folder / name,
            ["a", "b", "tags"],
            [[*row, separator.join(each)] for row, each in zip(rows, labels, strict=True)],
        )
    else:
        records = [{"a": a, "b": b, "tags": each} for (a, b), each in zip(rows, labels, strict=True)]
        (folder / name).write_text("\n".join(map(json.dumps, records)))
    call("init-config", name)
    checked("sky.cfg")
    config = read_run_config("sky.cfg").config
    assert config["target"]["@encoders"] == "multilabel.v1"
    assert config["target"].get("separator") == separator
    assert trained("sky.cfg", "--training.max_steps=300")["multilabel_f_micro"] > 0.85


def test_images_give_a_convolutional_network(folder):
    import numpy as np

    generator = np.random.default_rng(0)
    X, Y = generator.integers(0, 60, (120, 12, 12)).astype(np.uint8), np.arange(120) % 2
    for image, is_row in zip(X, Y, strict=True):
        place = generator.integers(2, 10)
        image[(place, slice(None)) if is_row else (slice(None), place)] = 200
    np.savez(folder / "lines.npz", X=X, Y=Y)
    call("init-config", "lines.npz")
    checked("lines.cfg")
    assert trained("lines.cfg", "--training.max_steps=30")["accuracy"] > 0.8


def test_numbers_missing_in_an_array_are_filled_in(folder):
    import numpy as np

    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 6))
    Y = (X[:, 0] > 0).astype(np.int64)
    X[generator.random(X.shape) < 0.05] = np.nan
    np.savez(folder / "holes.npz", X=X, Y=Y)
    assert "X       array     26 %         -  number" in call("init-config", "holes.npz").stdout
    checked("holes.cfg")
    assert trained("holes.cfg", "--training.max_steps=200")["accuracy"] > 0.85


@pytest.mark.parametrize(("shape", "of_bytes"), [((5,), False), ((3, 4), False), ((9, 9), True)])
def test_arrays_and_a_number_to_predict_from_them(folder, shape, of_bytes):
    import numpy as np

    X = np.random.default_rng(0).normal(size=(200, *shape))
    Y = X.reshape(200, -1)[:, :3].sum(axis=1) + 0.5
    X = np.clip(128 + 40 * X, 0, 255).astype(np.uint8) if of_bytes else X.astype(np.float32)
    np.savez(folder / "arrays.npz", X=X, Y=Y)
    call("init-config", "arrays.npz")
    checked("arrays.cfg")
    assert trained("arrays.cfg", "--training.max_steps=200")["rmse"] < Y.std()


def test_texts_beside_numbers_and_categories_stay_under_sixty_lines_and_are_read(folder):
    draw = random.Random(0)
    rows = []
    for i in range(300):
        is_good, price, land = draw.random() < 0.5, draw.gauss(10, 3), draw.choice(["NO", "SE"])
        texts = [
            " ".join(draw.choice(["it", "was", "very", "good" if is_good else "bad"]) for _ in range(9))
            for _ in range(5)
        ]
        score = 3 * is_good + 0.3 * price + (land == "SE") + draw.gauss(0, 0.3)
        rows.append([i, *texts, f"{price:.2f}", land, f"2024-0{draw.randint(1, 9)}-11", f"{score:.2f}"])
    names = ["id", *(f"text {i}" for i in range(5)), "price", "land", "day", "score"]
    table(folder / "both.csv", names, rows)
    assert "3 other columns of texts are read" in call("init-config", "both.csv").stdout
    checked("both.cfg")
    assert read_run_config("both.cfg").config["model"]["@layers"] == "tabular.v1"
    assert trained("both.cfg", "--training.max_steps=300")["rmse"] < pstdev(float(row[-1]) for row in rows) / 2


def test_folders_of_images_for_training_and_testing(folder):
    Image = pytest.importorskip("PIL.Image")
    import numpy as np

    generator = np.random.default_rng(0)
    for part, n in (("train", 20), ("test", 5)):
        for label, grey in (("dark", 40), ("light", 200)):
            (folder / "shapes" / part / label).mkdir(parents=True)
            for index in range(n):
                pixels = (grey + generator.integers(0, 40, (8, 8))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "shapes" / part / label / f"{index}.png")
    result = call("init-config", "shapes")
    assert "shapes.cfg is written." in result.stdout
    assert "Then: trainer evaluate out/shapes shapes/test" in result.stdout
    assert read_run_config("shapes.cfg").config["data"]["train"]["path"] == "shapes/train"
    assert trained("shapes.cfg", "--training.max_steps=20")["accuracy"] > 0.8


def fraud(n, seed):
    """Transactions, of which one in fifty is a fraud: large ones at night, mostly."""
    draw = random.Random(seed)
    for _ in range(n):
        is_fraud = draw.random() < 0.02
        amount, hour = draw.gauss(2.2 if is_fraud else 0, 1), draw.gauss(1.5 if is_fraud else 0, 1)
        yield [f"{amount:.3f}", f"{hour:.3f}", f"{draw.gauss(0, 1):.3f}", int(is_fraud)]


def test_a_rare_class_is_predicted_because_its_rows_are_used_more_often(folder):
    names = ["amount", "hour", "noise", "is_fraud"]
    table(folder / "cards.csv", names, fraud(2500, 0))
    table(folder / "fresh.csv", names, fraud(4000, 1))
    result = call("init-config", "cards.csv")
    assert "% of the rows: they are used more often, and macro F is the score." in result.stdout
    assert "unless these are used more often it is never predicted" in checked("cards.cfg")
    scores = {}
    for balance in ("true", "false"):
        words = ["--training.max_steps=400", f"--training.balance={balance}", "--overwrite"]
        call("train", "cards.cfg", "--output", "run", "--quiet", *words)
        scores[balance] = json.loads(call("evaluate", "run", "fresh.csv", "--json").stdout)["f_score_macro"]
    assert scores["true"] > max(0.6, scores["false"]), scores


def test_few_rows_are_not_learnt_by_heart(folder):
    """A sum of numbers, and noise: the config for accuracy is no worse than that for speed, on rows that are new."""
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1) for _ in range(10)] for _ in range(4600)]
    labels = ["up" if 2 * row[0] + row[1] - row[2] + draw.gauss(0, 1) > 0 else "down" for row in rows]
    both = [[*(f"{x:.3f}" for x in row), label] for row, label in zip(rows, labels, strict=True)]
    names = [*(f"x{i}" for i in range(10)), "label"]
    table(folder / "few.csv", names, both[:600])
    table(folder / "fresh.csv", names, both[600:])
    scores = {}
    for how in ("accuracy", "speed"):
        call("init-config", "few.csv", "--optimize", how, "--output", f"{how}.cfg")
        call("train", f"{how}.cfg", "--output", how, "--quiet")
        scores[how] = json.loads(call("evaluate", how, "fresh.csv", "--json").stdout)["accuracy"]
    assert scores["accuracy"] > scores["speed"] - 0.01, scores


def test_columns_are_kept_and_dropped_by_their_options(folder):
    rows = write_people(folder / "people.csv", without=["spent"])
    printed = call("init-config", "people.csv", "--target", "bought").stdout
    assert 'Left out since the target shows in it: "copy"; --keep COLUMN takes one all the same.' in printed
    words = ["--keep", "copy", "--keep", "id", "--drop", "age", "--drop", "zip"]
    assert "Left out since" not in call("init-config", "people.csv", *words, "--force").stdout
    config = read_run_config("people.cfg").config
    used = [name for part in config["features"]["*"].values() for name in part["columns"]]
    assert sorted(used) == ["city", "copy", "id", "joined", "ok", "price"]
    assert '"age", "zip" (--drop)' in checked("people.cfg")
    assert trained("people.cfg", "--training.max_steps=20")["n"] == len(rows) / 5
    assert 'Did you mean "copy"?' in call("init-config", "people.csv", "--force", "--keep", "cop", code=2).stderr


def test_an_identifier_of_texts_can_be_kept(folder):
    draw = random.Random(0)
    table(folder / "a.csv", ["name", "label"], [[f"n{draw.random()}", draw.choice("ab")] for _ in range(60)])
    assert "no column is left" in call("init-config", "a.csv", code=2).stderr
    call("init-config", "a.csv", "--keep", "name")
    checked("a.cfg")
    assert trained("a.cfg", "--training.max_steps=5")["n"] == 12


def test_dates_with_slashes_are_read_in_the_one_order_that_fits_all(folder):
    draw = random.Random(0)
    days = [(draw.randint(1, 12), draw.randint(1, 28)) for _ in range(200)]
    rows = [[f"{d:02}/{m:02}/2023 03:00", f"{m}/{d}/2023", f"2023-{m:02}-{d:02}", m + d / 30] for m, d in days]
    table(folder / "days.csv", ["theirs", "ours", "iso", "amount"], rows)
    call("init-config", "days.csv")
    checked("days.cfg")
    parts = read_run_config("days.cfg").config["features"]["*"]
    assert [(part["columns"], part.get("order")) for part in parts.values()] == [
        (["iso"], None),
        (["theirs"], "day first"),
        (["ours"], "month first"),
    ]
    assert trained("days.cfg", "--training.max_steps=300")["r2"] > 0.9


@pytest.mark.parametrize("gap", ["unknown", "#N/A", "#DIV/0!"])
def test_what_stands_for_a_missing_number_is_one_in_inputs_and_target(folder, gap):
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1), draw.gauss(5, 1)] for _ in range(200)]
    rows = [[gap if i % 9 == 0 else f"{x:.3f}", gap if i % 11 == 0 else f"{y:.3f}"] for i, (x, y) in enumerate(rows)]
    table(folder / "a.csv", ["x", "amount"], rows)
    assert "19 of 200 rows have nothing in it" in call("init-config", "a.csv").stdout
    assert 'missing = "skip"' in checked("a.cfg")
    assert trained("a.cfg", "--training.max_steps=5")["rmse"] > 0


def test_files_of_a_pattern_are_one_data_set_with_a_plain_name(folder):
    for part in ("train", "dev"):
        (folder / f"sales-2024-{part}.csv").write_text((folder / f"{part}.csv").read_text())
    said = call("init-config", "sales-2024-train.csv", "sales-2024-dev.csv", code=2).stderr
    assert "To take several files as one data set, put a pattern in quotes, as 'part-*.csv'" in said
    assert "pattern" not in call("init-config", "sales-2024-train.csv", "gone.csv", code=2).stderr
    said = call("init-config", "sales-2024-*.csv").stdout
    assert said.splitlines()[-1] == "Next: trainer train sales-2024.cfg --output out/sales-2024"
    assert (folder / "sales-2024.cfg").is_file()


def test_sentences_go_on_between_words_in_a_narrow_terminal_and_commands_are_whole(folder):
    (folder / "dev.csv").unlink()
    shown = shown_in(60, "init-config", "train.csv", "-o", "a-config-with-a-name-that-is-long.cfg")
    lines = [line.rstrip() for line in shown.splitlines()]
    assert lines[-3:] == [
        "It scores on 20% of the rows, which are held out and not",
        "trained on.",
        "Next: trainer train a-config-with-a-name-that-is-long.cfg --output out/a-config-with-a-name-that-is-long",
    ]


def test_passes_are_those_over_the_rows_that_are_trained_on(folder):
    table(folder / "few.csv", ["x", "kind"], [[i % 7 / 3, ("a", "b")[i % 2]] for i in range(400)])
    call("init-config", "few.csv")
    text = (folder / "few.cfg").read_text()
    steps, batch = (int(re.search(rf"^{key} = (\d+)$", text, re.M)[1]) for key in ("max_steps", "batch_size"))
    told = int(re.search(r"About (\d+) passes over the rows that are trained on\.", text.replace("\n# ", " "))[1])
    assert told == pytest.approx(steps * batch / 320, rel=0.04)  # one row in five is held out


def test_a_class_of_one_row_is_told(folder):
    rows = [[i % 7 / 3, ("a", "b")[i % 2]] for i in range(60)] + [[1, "odd"]]
    table(folder / "few.csv", ["x", "kind"], rows)
    said = call("init-config", "few.csv", "--target", "kind").stdout
    assert '1 class has one row alone, "odd": none can be both trained on and scored' in said
    table(folder / "few.csv", ["x", "kind"], rows[:-1])
    assert "one row alone" not in call("init-config", "few.csv", "--target", "kind", "--force").stdout


@pytest.mark.parametrize(
    ("broken", "scheme"),
    [("Anna O\nBob I-PER\n\n", "iob1"), ("Anna B-PER\nBob U-LOC\n\n", "plain")],
)
def test_tags_that_break_their_scheme_are_told_and_read_in_another(folder, broken, scheme):
    """The proposed config must not be one that debug-config refuses."""
    whole = "Anna B-PER\nLee I-PER\nsees O\n\n" if scheme == "iob1" else "Anna B-PER\nLee L-PER\nsees O\nUlm U-LOC\n\n"
    (folder / "names.conll").write_text(whole * 40 + broken)
    said = call("init-config", "names.conll").stdout
    line = whole.count("\n") * 40 + 1
    assert f"1 sentence breaks {'BIO' if scheme == 'iob1' else 'BILUO'}, first names.conll:{line}: tag: " in said
    assert f'With scheme = "{scheme}"' in said
    assert read_run_config("names.cfg").config["target"]["scheme"] == scheme
    checked("names.cfg")
    (folder / "names.conll").write_text(whole * 40)
    assert "sentence" not in call("init-config", "names.conll", "--force").stdout
    assert "scheme" not in read_run_config("names.cfg").config["target"]


def test_labels_of_few_texts_are_found_with_few_updates(folder):
    """Each label has its words; a rate that is right for classes leaves most labels unseen."""
    draw = random.Random(0)
    noise = [f"n{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    words = {label: [f"{label}{letter}" for letter in "abcdef"] for label in ("sun", "rain", "wind", "snow")}
    lines = []
    for _ in range(700):
        labels = [label for label in words if draw.random() < 0.3] or ["sun"]
        text = draw.choices(noise, k=10) + [draw.choice(words[label]) for label in labels]
        draw.shuffle(text)
        lines.append(json.dumps({"text": " ".join(text), "labels": labels}))
    (folder / "sky.jsonl").write_text("\n".join(lines[:400]))
    (folder / "other.jsonl").write_text("\n".join(lines[400:]))
    call("init-config", "sky.jsonl")
    assert read_run_config("sky.cfg").config["metrics"]["multilabel_f"]["threshold"] == "best"
    call("train", "sky.cfg", "-o", "run", "-q")
    assert json.loads(call("evaluate", "run", "other.jsonl", "--json").stdout)["multilabel_f_micro"] > 0.97


@pytest.mark.parametrize("cell", ["3O", "inf"])
def test_a_cell_that_is_no_number_costs_no_column_and_is_told_with_its_line(folder, cell):
    draw = random.Random(0)
    rows = [
        [f"{x:.3f}", draw.randint(1, 9), "yes" if x > draw.gauss(0, 0.2) else "no"]
        for x in (draw.gauss(0, 1) for _ in range(400))
    ]
    rows[200][0] = cell
    table(folder / "cells.csv", ["size", "other", "sold"], rows)
    said = call("init-config", "cells.csv").stdout
    assert f'In "size", 1 of 400 values is no number ("{cell}" at cells.csv:202): such count as missing.' in said
    assert f'but for "{cell}" (line 202), which counts as missing' in " ".join(said.split())
    assert read_run_config("cells.cfg").config["features"]["*"]["numbers2"]["invalid"] == "missing"
    checked("cells.cfg")
    assert trained("cells.cfg")["accuracy"] > 0.8
    for row in range(0, 400, 10):
        rows[row][0] = cell
    table(folder / "cells.csv", ["size", "other", "sold"], rows)
    said = call("init-config", "cells.csv", "--force").stdout
    assert f'values are no number ("{cell}" at cells.csv:2): it is left out' in said
    call("init-config", "cells.csv", "--force", "--keep", "size")
    checked("cells.cfg")


def test_a_target_of_numbers_with_a_cell_that_is_none_is_told_with_its_line(folder):
    rows = [[i % 7, ("a", "b")[i % 2], f"{i / 7:.2f}"] for i in range(400)]
    rows[9][2] = "12.5O"
    table(folder / "houses.csv", ["rooms", "kind", "price"], rows)
    for words in ((), ("--target", "price"), ("--target", "price", "--task", "regression")):
        said = call("init-config", "houses.csv", *words, code=2).stderr
        assert said.startswith("houses.csv:11: price: 1 of 400 values is no number, ")
        assert '"12.5O" for one: write numbers there, or nothing' in said


def test_an_infinite_number_of_an_array_costs_no_column(folder):
    import numpy as np

    x = np.random.default_rng(0).normal(size=(300, 2))
    x[7, 0] = np.inf
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"size": x[:, 0], "other": x[:, 1], "sold": (x[:, 1] > 0).astype(int)}
    parquet.write_table(pyarrow.table(columns), folder / "a.parquet")
    said = call("init-config", "a.parquet", "--target", "sold").stdout
    assert 'In "size", 1 of 300 values is no number ("inf"' in said
    checked("a.cfg")
