import pytest

from medlearn.teaching import budget


def test_the_two_budgets_differ_in_numbers_only():
    cpu, gpu = budget.BUDGETS["cpu"], budget.BUDGETS["gpu"]
    assert cpu.keys() == gpu.keys()
    assert all(isinstance(value, int) and value <= gpu[key] for key, value in cpu.items())


def test_the_environment_variable_is_read_at_each_call(monkeypatch):
    for name in ("gpu", "cpu"):
        monkeypatch.setenv("MEDLEARN_BUDGET", name)
        assert budget.current() == budget.BUDGETS[name]
    monkeypatch.setenv("MEDLEARN_BUDGET", "tpu")
    with pytest.raises(ValueError, match="'tpu'; expected one of cpu, gpu"):
        budget.current()


def test_without_the_variable_the_machine_decides(monkeypatch):
    monkeypatch.delenv("MEDLEARN_BUDGET", raising=False)
    for card, expected in (("a card", "gpu"), (None, "cpu")):
        monkeypatch.setattr("medlearn._keras.gpu_name", lambda card=card: card)
        assert budget.name() == expected and budget.gpu_name() == card


def test_a_changed_copy_does_not_change_the_budget(monkeypatch):
    monkeypatch.setenv("MEDLEARN_BUDGET", "cpu")
    budget.current()["images"] = 1
    assert budget.current()["images"] == budget.BUDGETS["cpu"]["images"]
