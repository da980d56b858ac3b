"""Profit and loss in a browser: found by keys, read without a script of its own."""


def test_two_keys_lead_to_profit_and_loss_and_tabs_have_addresses(log_in):
    alice = log_in("alice@acme.test")
    tab = alice.open("/desk")
    tab.wait_for_selector("html[data-js]")
    tab.keyboard.press("g")
    tab.keyboard.press("l")
    tab.wait_for_url("**/pnl")
    assert tab.locator("h1").inner_text() == "Profit and loss"
    tab.get_by_role("link", name="MTD").click()
    tab.wait_for_url("**/pnl?period=mtd")
    assert tab.locator(".bl-tabs [aria-current=page]").inner_text() == "MTD"
    tab.go_back()
    assert tab.locator(".bl-tabs [aria-current=page]").inner_text() == "Max"
