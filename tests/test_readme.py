import pathlib

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_the_first_example_works(tmp_path, monkeypatch, capsys):
    code = README.read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "out" / "report.json").exists()
    assert capsys.readouterr().out.rstrip().endswith("]]]")
