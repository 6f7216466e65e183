"""The page about intervals and notes has the numbers of the benchmarks."""

from page_numbers import read_results, rows, words


def test_coverage_of_intervals():
    leaderboard = read_results("leaderboard")
    covered = [f"{result['interval']['covered'] * 100:.0f} %" for result in leaderboard.values()]
    text = words("docs/intervals.md")
    assert f"enclose {covered[0]} (BERT) and {covered[1]} (convolutions)" in text
    widths = [
        [f"{result['interval'][key]:.1f}" for key in ("mean_width", "constant_width")]
        for result in leaderboard.values()
    ]
    (bert, bert_constant), (conv, conv_constant) = widths
    assert f"They are {bert} units wide on average (BERT) and {conv} (convolutions)" in text
    assert f"intervals of one width would have to be {bert_constant} and {conv_constant}" in text
    for result in leaderboard.values():
        assert 0.88 <= result["interval"]["covered"] <= 0.92
        assert result["interval"]["mean_width"] < result["interval"]["constant_width"]


def test_coverage_in_subsets():
    leaderboard = read_results("leaderboard")
    parts = [result["interval"]["covered_in"] for result in leaderboard.values()]
    assert rows("docs/intervals.md", "| subset | promoters | BERT | convolutions |") == {
        name: [f"{part['n']:,}", *(f"{model[name]['covered'] * 100:.0f} %" for model in parts)]
        for name, part in parts[0].items()
    }


def test_cropped_promoters():
    result = read_results("cropped")
    assert f"{result['promoters']:,} random promoters" in words("docs/intervals.md")
    columns = result["pearson"].values()
    assert rows("docs/intervals.md", "| Pearson with the whole promoter's prediction |") == {
        name: [f"{column[name]:.2f}" for column in columns] for name in result["pearson"]["dream-promoter-bert"]
    }
