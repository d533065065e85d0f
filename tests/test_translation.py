"""Translations: what they must keep, how much there is, and that English rules where it changed."""

import copy

import lessons
import matplotlib
import nbformat
import pytest
from babel.messages.catalog import Catalog
from lessons import miniature, text_cell
from matplotlib.text import Text

from medlearn.teaching import check, language
from tools import commands
from tools import lessons as course
from tools.site import copies as site_copies
from tools.site import quiz, slides
from tools.translation import (
    apply,
    catalogues,
    copies,
    exchange,
    kit,
    labels,
    pages,
    pages_of_site,
    readme,
    rules,
    share,
    sources,
    terms,
)

CHINESE = "zh_CN"
ENGLISH = "A *[mask](../docs/glossary.md#mask)* of 3 pixels: $x^2$, `a = 1`, <b>bold</b>."
SOUND = "3 个像素的 *[掩膜](../docs/glossary.md#mask)*：$x^2$，`a = 1`，<b>粗体</b>。"


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "zh")


# ---- the committed translations ------------------------------------------------------------------


@pytest.fixture(scope="module", params=sources.parts())
def part(request):
    return request.param, share.today(request.param, CHINESE)


def test_no_translation_has_lost_anything(part):
    name, catalogue = part
    lessons.expect_none([f"{name}: {problem}" for problem in share.problems(catalogue)])


def test_what_is_finished_stays_translated(part):
    name, catalogue = part
    done, total = share.of(catalogue)
    print(f"{name}: {done / total:.1%}")
    if name in share.finished(CHINESE):
        assert done >= share.ENOUGH * total, (
            f"{name}.po: {done / total:.1%} of the English is translated; "
            f"`python3 -m tools.translation export {name} --to FILE` lists what is not"
        )


def test_finished_parts_exist_and_each_lesson_has_a_title():
    assert set(share.finished(CHINESE)) <= set(sources.parts())
    titles = [course.title(lesson.notebook) for lesson in map(lessons.read, lessons.PATHS)]
    assert {title.split(" · ")[1] for title in titles} <= set(terms.titles())


def test_the_chinese_readme_is_made_from_the_readme():
    if "readme" not in share.finished(CHINESE):
        pytest.skip("the README is not translated yet")
    path = course.ROOT / readme.name(CHINESE)
    assert path.read_text("utf-8") == readme.text(CHINESE), (
        "`python3 -m tools.translation build` writes it"
    )


# ---- rules ---------------------------------------------------------------------------------------


def test_a_sound_translation_breaks_no_rule():
    assert rules.problems("c", ENGLISH, SOUND) == []


@pytest.mark.parametrize(
    ("there", "instead", "what"),
    [
        ("$x^2$", "$x^3$", "formula"),
        ("#mask", "#masks", "link"),
        ("3 个", "三个", "number"),
        ("`a = 1`", "`a = 2`", "code"),
        ("<b>粗体</b>", "粗体", "tag"),
        ("掩膜", "遮罩", "term"),
        ("，<b>", ",<b>", "half-width"),
        ("3 个", "- 3 个", "items"),
        ("3 个", "# 3 个", "headings"),
        ("3 个", "**三。**3 个", "emphasis"),
    ],
)
def test_each_loss_is_found(there, instead, what):
    problems = rules.problems("c", ENGLISH, SOUND.replace(there, instead))
    assert any(problem.startswith(what) for problem in problems), problems


def test_a_space_that_bold_type_needs_is_no_fault():
    assert rules.problems("c", "**Recap.** Words", "**小结。** 文字") == []
    assert rules.spacing(["**小结。** 文字"]) == []


def test_a_longer_term_covers_the_shorter_ones_in_it(monkeypatch):
    words = {"domain": ["域"], "domain adaptation": ["领域自适应"], "fine-tun*": ["微调"]}
    monkeypatch.setattr(terms, "read", lambda: words)
    assert terms.problems("Domain  adaptation, fine-tuned", "领域自适应与微调") == []
    assert len(terms.problems("a domain", "某处")) == 1
    assert terms.problems("subdomains", "某处") == []


def test_references_are_not_searched_for_terms():
    assert terms.problems("## References\n\n- *Transfer learning*, 2020", "## 参考文献") == []


def test_spacing_is_checked_where_the_checker_is_installed():
    pytest.importorskip("autocorrect_py")
    assert rules.spacing(["学习率learning rate"]) and not rules.spacing(["见 `a,b` 和 $c$ 吗？"])


# ---- no drift ------------------------------------------------------------------------------------


def catalogue_of(**translations: str) -> Catalog:
    found = [sources.Source(context, f"text {context}", is_alone=True) for context in translations]
    catalogue = catalogues.updated(Catalog(), found)
    for context, string in translations.items():
        catalogue.get(f"text {context}", context).string = string
    return catalogue


def test_a_changed_text_keeps_its_translation_but_does_not_show_it():
    old = catalogue_of(a="甲", b="乙")
    changed = [sources.Source("a", "other words", is_alone=True), sources.Source("b", "text b")]
    new = catalogues.updated(old, changed)
    assert catalogues.translation(new, "a", "other words") is None
    assert catalogues.translation(new, "b", "text b") == "乙"
    assert new.get("other words", "a").string == "甲"
    assert [message.context for message in exchange.untranslated(new)] == ["a"]
    again = catalogues.updated(catalogues.updated(new, changed), changed)
    assert again.get("other words", "a").previous_id == ["text a"]


def test_a_text_that_is_gone_leaves():
    assert len(list(catalogues.updated(catalogue_of(a="甲", b="乙"), []))) == 1  # the header


def test_a_translated_notebook_has_the_same_code_and_marks_what_is_english():
    notebook = miniature().notebook
    notebook.cells = [text_cell("# 00 · A\n\ntext"), *notebook.cells, text_cell("changed since")]
    notebook.cells[0].id, notebook.cells[-1].id = "a", "b"
    catalogue = catalogues.updated(Catalog(), [sources.Source("a", notebook.cells[0].source)])
    catalogue.get(notebook.cells[0].source, "a").string = "# 00 · 甲"
    before = copy.deepcopy(notebook)
    translated = apply.notebook(notebook, catalogue)
    assert notebook == before
    assert course.source_digest(translated) == course.source_digest(notebook)
    assert translated.cells[0].source == "# 00 · 甲"
    assert translated.cells[-1].source == f"changed since\n\n{apply.MARK}"


def test_links_to_the_neighbours_have_their_titles():
    line = "\n\n<small>[Next: 01 · Look before you train](01_look_before_you_train.ipynb)</small>"
    title = terms.titles()["Look before you train"]
    assert f"[下一课：01 · {title}](01_look_before_you_train.ipynb)" in apply.links(line)


def test_every_lesson_keeps_code_tags_and_outputs():
    for lesson in lessons.PATHS[:3]:
        english, chinese = copies.lesson(lesson, None), copies.lesson(lesson, CHINESE)
        for one, other in zip(english.cells, chinese.cells, strict=True):
            assert one.id == other.id and one.cell_type == other.cell_type
            if one.cell_type == "code":
                assert one.source == other.source and one.outputs == other.outputs


def test_copies_leave_a_learners_work_alone(tmp_path):
    list(copies.write(CHINESE, tmp_path))
    first, second, *_ = sorted((tmp_path / "notebooks").glob("[0-9]*.ipynb"))
    first.write_text("my answers")
    second.unlink()
    last = list(copies.write(CHINESE, tmp_path))
    assert first.read_text() == "my answers" and second.exists()
    assert first.name in last[0]
    assert (tmp_path / "docs" / "glossary.md").exists()


# ---- pages, plain text ---------------------------------------------------------------------------

PAGE = """# Title

One
two.

| a | b |
|---|---|
| words | `x` |

```
code here

more
```
- an item
"""


def test_blocks_joined_are_the_page_and_only_prose_is_translated():
    assert "".join(pages.blocks(PAGE)) == PAGE
    seen = []
    assert pages.translated(PAGE, lambda block: seen.append(block) or block) == PAGE
    assert seen == ["# Title", "One\ntwo.", "| words | `x` |", "- an item"]


def test_what_is_exported_comes_back():
    catalogue = catalogue_of(a="", b="乙")
    text = exchange.export(catalogue)
    assert "text a" in text and "text b" not in text
    assert exchange.take_over(catalogue, text.replace("text a", "甲")) == []
    assert catalogues.translation(catalogue, "a", "text a") == "甲"
    assert len(exchange.take_over(catalogue, "=== a 000000\n丙")) == 1


def test_written_catalogues_are_read_again_and_do_not_change(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    assert catalogues.write(catalogue_of(a="甲\n\n乙", b=""), "00", CHINESE)
    read = catalogues.read("00", CHINESE)
    assert catalogues.translation(read, "a", "text a") == "甲\n\n乙"
    assert not catalogues.write(read, "00", CHINESE)


# ---- while a lesson runs -------------------------------------------------------------------------


def test_labels_are_found_in_code():
    code = 'plots.a(x, label="mean score", layer="no label")\ndraw(f"{n:.0f} of {len(n)} seen")'
    assert list(labels.of_lesson(code)) == [("label", "mean score")]
    code = 'ax.set_title(f"{n:.0%} of {n} seen")\nbars = {"two words": 1, "one": 2}'
    assert set(labels.of_lesson(code)) == {("template", "{n} of {n2} seen"), ("label", "two words")}
    assert list(labels.of_lesson("%matplotlib")) == []
    assert ("verdict", check.RIGHT) in set(labels.of_package())


@pytest.fixture
def words(monkeypatch, chinese):
    template = (language._pattern("{value} of {n} seen"), "{n} 个中见到 {value}")
    found = language._Words({"score": "得分", "right, well done!": "对了！"}, [template], {})
    monkeypatch.setattr(language, "_words", lambda code: found)
    language._label.cache_clear()
    yield found
    language._label.cache_clear()


def test_texts_and_filled_templates_are_translated_and_the_rest_stays(words):
    assert language.label("score") == "得分" and language.label("unknown") == "unknown"
    assert language.label("3 of 4 seen") == "4 个中见到 3"
    assert language.say("score {gap}", gap=1) == "score 1"
    assert language.in_all(check.RIGHT) == {check.RIGHT, "对了！"}


def test_english_stays_english(monkeypatch):
    monkeypatch.delenv(language.VARIABLE, raising=False)
    assert language.name() is None and language.say(check.RIGHT) == check.RIGHT
    assert not language.translate_figures()
    for wanted, code in (("en", None), ("zh", "zh_CN"), ("zh-CN", "zh_CN"), ("", None)):
        monkeypatch.setenv(language.VARIABLE, wanted)
        assert language.name() == code
    monkeypatch.setenv(language.VARIABLE, "klingon")
    with pytest.raises(ValueError, match="klingon"):
        language.name()


def test_figures_speak_chinese_only_where_a_font_does(words, monkeypatch):
    monkeypatch.setitem(language.FONTS, CHINESE, ("No Such Font",))
    assert not language.translate_figures()
    monkeypatch.setitem(language.FONTS, CHINESE, ("DejaVu Serif",))
    monkeypatch.setattr(Text, "set_text", Text.set_text)  # put back afterwards
    with matplotlib.rc_context():
        assert language.translate_figures() and language.translate_figures()
        assert Text(0, 0, "score").get_text() == "得分"
        assert "DejaVu Serif" in matplotlib.rcParams["font.family"]


def test_a_hint_is_said_in_chinese_where_it_is_translated(chinese, capsys):
    check.hint("00.1")
    assert "Hint" not in capsys.readouterr().out


def test_outputs_are_saved_in_english_only(monkeypatch, capsys):
    monkeypatch.setenv(language.VARIABLE, "")
    assert commands.main(["run", "02", "--save", "--language", "zh"]) == 1
    assert "English outputs only" in capsys.readouterr().err


# ---- the site ------------------------------------------------------------------------------------


def test_pages_of_the_site_are_written_over_the_english_ones(tmp_path):
    for name in ("index.md", "glossary.md"):
        (tmp_path / name).write_text("English", encoding="utf-8")
    (tmp_path / "instructor").mkdir()
    pages_of_site.write_pages(tmp_path, CHINESE)
    assert "血涂片" in (tmp_path / "glossary.md").read_text("utf-8")
    front = (tmp_path / "index.md").read_text("utf-8")
    assert "notebooks/index\nfrom_a_tutorial\n" in front and "<!-- lessons -->" in front
    tutorial = (tmp_path / "from_a_tutorial.md").read_text("utf-8")
    assert "](notebooks/02_extract_features.ipynb)" in tutorial and "../" not in tutorial


def test_each_page_knows_its_twin_in_the_other_language():
    english = pages_of_site.sphinx_options(None, CHINESE)
    chinese = pages_of_site.sphinx_options(CHINESE, CHINESE)
    assert "twin=zh_CN/" in english and "language=zh_CN" not in english
    assert "twin=../" in chinese and "language=zh_CN" in chinese
    assert pages_of_site.sphinx_options(None, None) == []


def test_what_the_kit_keeps_as_toml_is_translated_and_keeps_its_keys(chinese):
    with pages_of_site.speaking(None):
        english = {name: kit.read(name) for name in kit.FILES}
    for name in kit.FILES:
        translated = kit.read(name)
        assert shape(translated) == shape(english[name])
        listed = {(source.context, source.text) for source in sources.read(kit.PART)}
        assert {(name, text) for text in kit.texts(name)} <= listed
    for one, other in zip(english[kit.QUIZ]["items"], quiz.items(), strict=True):
        assert one["lesson"] == other["lesson"] and one["topic"] != other["topic"]
        for side in quiz.SIDES:
            assert one[side]["right"] == other[side]["right"]


def shape(value):
    """The keys of tables and the lengths of lists, without the texts."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    return [shape(part) for part in value] if isinstance(value, list) else type(value)


def test_pages_made_of_the_quiz_are_made_anew_and_not_translated():
    by_hand = sources.page_names(kit.PART)
    assert not [name for name in by_hand if name.endswith(kit.MADE)]
    assert "docs/instructor/script.md" in by_hand


def test_a_text_of_the_kit_without_translation_stays_english(chinese, monkeypatch):
    monkeypatch.setattr(catalogues, "read", lambda part, code: Catalog())
    assert quiz.items()[0]["topic"] == "split by patient"


def test_the_quiz_on_the_site_speaks_chinese_and_holds_no_key(chinese, tmp_path):
    (tmp_path / "instructor").mkdir()
    quiz.write(tmp_path)
    page = (tmp_path / "instructor" / "quiz_before.md").read_text("utf-8")
    assert page.startswith("# 课前测验") and 'data-is-right="✓ 对"' in page
    assert 'data-score="{all} 题中答对 {right} 题"' in page
    assert quiz.items()[0]["before"]["why"] not in page
    keys = (tmp_path / "instructor" / "quiz_key.md").read_text("utf-8")
    assert "**1，按患者划分。** *课前*：**b**。" in keys


def test_slides_of_a_chinese_lesson_have_its_sentences_and_no_exercises(chinese):
    cells = [
        "# 99 · 试\n\n1. **试一试**；",
        "## 1 · 第一\n\n**问题。** 为什么？" + "很长的一句话。" * 30,
        "**一句话概括：就是这样。**\n\n## 轮到你了\n\n练习\n\n## 小结\n\n完了。",
    ]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_markdown_cell, cells)))
    question = {"ask": "谁？", "answer": "你。"}
    deck = slides.deck(site_copies.Lesson("99_test", "99 · 试", notebook), question, 40)
    assert "学完这一课，你能够" in deck[0] and "试一试" in deck[0]
    assert "就是这样。" in deck[1] and "提问：为什么？" in deck[1]
    assert 5 < deck[1].count("很长") < 20  # a long paragraph is cut at the end of a sentence
    assert "训练的时候" in deck[2] and "谁？" in deck[2]
    assert "小结" in deck[3] and not any("练习" in slide for slide in deck[1:])


def test_a_language_is_spoken_for_a_while(chinese):
    with pages_of_site.speaking(None):
        assert language.name() is None
    assert language.name() == CHINESE


def test_links_of_the_page_in_chinese_only_exist():
    page = catalogues.FOLDER / CHINESE / f"{pages_of_site.ONLY}.md"
    targets = rules.links(page.read_text("utf-8"))
    assert targets and all((page.parent / target).exists() for target in targets)
