"""How a person wants to be told, and the ways out of mail."""

from __future__ import annotations

import json
from datetime import time, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.kernel.access import NOBODY
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import ChannelAddress, Delivery, NoticeSettings
from instruments.services import channels, notice_delivery, notice_settings, notices
from instruments.services.notice_settings import Wishes
from tests.instruments.notices.conftest import send_all

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_wishes_are_kept_and_what_waits_moves_to_its_new_time(cast, told):
    lin = cast.actor("lin")
    notice_settings.save_settings(lin, Wishes({}, digest="daily", digest_hour=18), cast.now)
    one = told()
    assert (one.digest, one.due_at) == (True, cast.now + 9 * HOUR)
    notice_settings.save_settings(lin, Wishes({}, digest="immediately", quiet_from=time(8), quiet_until=time(10)), cast.now)
    one.refresh_from_db()
    assert (one.digest, one.due_at) == (False, cast.now + HOUR)
    notice_settings.save_settings(lin, Wishes({}), cast.now)
    one.refresh_from_db()
    assert one.due_at == cast.now
    assert NoticeSettings.objects.count() == 1


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        (Wishes({"reservations": ["pigeon"]}), "channel_unknown"),
        (Wishes({"gossip": ["email"]}), "channel_unknown"),
        (Wishes({"reservations": ["sms"]}), "channel_unknown"),
        (Wishes({}, digest="hourly"), "digest_unknown"),
        (Wishes({}, digest_hour=24), "digest_unknown"),
        (Wishes({}, quiet_from=time(22)), "quiet_both"),
        (Wishes({}, quiet_from=time(22), quiet_until=time(22)), "quiet_all_day"),
        (Wishes({}, time_zone="Mars/Olympus"), "zone_unknown"),
    ],
)
def test_what_cannot_be_is_refused(cast, wishes, code):
    with pytest.raises(Refusal, match=rf"notice_settings\.{code}"):
        notice_settings.save_settings(cast.actor("lin"), wishes, cast.now)
    with pytest.raises(Forbidden):
        notice_settings.save_settings(NOBODY, Wishes({}), cast.now)


def test_a_link_ends_mails_of_its_kind_and_nothing_else(cast, told):
    token = notice_settings.unsubscribe_token(cast.users["lin"].pk, ["organisation", "gone"])
    for _ in range(2):
        assert notice_settings.unsubscribe(token, NOBODY, cast.now) == ("organisation",)
    kept = NoticeSettings.objects.get()
    assert notices.wanted_channels(kept, "organisation") == ()
    assert notices.wanted_channels(kept, "reservations") == ("email",)
    with pytest.raises(Delivery.DoesNotExist):
        told()
    for wrong in (token[:-2] + "xx", "", notice_settings.unsubscribe_token(999_999, ["organisation"])):
        with pytest.raises(NotFound):
            notice_settings.unsubscribe(wrong, NOBODY, cast.now)


def test_a_single_event_goes_another_way_than_its_group_until_the_link_of_a_mail_ends_both(cast, told):
    lin, event = cast.actor("lin"), "organisation.join_accepted"
    notice_settings.save_settings(lin, Wishes({event: []}), cast.now)
    with pytest.raises(Delivery.DoesNotExist):
        told()
    notice_settings.save_settings(lin, Wishes({"organisation": [], event: ["email"]}), cast.now)
    one = told()
    assert (one.event, one.state) == (event, "waiting")
    kept = NoticeSettings.objects.get()
    assert notices.wanted_channels(kept, "organisation", "organisation.verified") == ()
    notice_settings.unsubscribe(notice_settings.unsubscribe_token(cast.users["lin"].pk, ["organisation"]), NOBODY, cast.now)
    kept.refresh_from_db()
    assert notices.wanted_channels(kept, "organisation", event) == ()
    send_all(cast.now)
    one.refresh_from_db()
    assert one.state == "dropped", "what waited is not wanted any more"
    with pytest.raises(Refusal, match=r"channel_unknown"):
        notice_settings.save_settings(lin, Wishes({"organisation.gossip": ["email"]}), cast.now)


@pytest.fixture
def text_messages(settings, tmp_path) -> Path:
    settings.HOME = tmp_path
    settings.NOTICE_CHANNELS = {"sms": "instruments.services.channels.FileSink"}
    channels._made.cache_clear()
    yield tmp_path / "channels" / "sms.jsonl"
    channels._made.cache_clear()


def sent(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_another_channel_is_used_once_a_code_came_back(cast, told, text_messages):
    lin = cast.actor("lin")
    with pytest.raises(Refusal, match=r"channel\.address_unreadable"):
        notice_settings.give_address(lin, "sms", "call me", cast.now)
    notice_settings.give_address(lin, "sms", "138 0000 0000", cast.now)
    with pytest.raises(Refusal, match=r"channel\.too_soon"):
        notice_settings.give_address(lin, "sms", "13800000000", cast.now)
    assert send_all(cast.now) == ["sent"]
    (message,) = sent(text_messages)
    assert message["to"] == "13800000000"
    code = next(word for word in message["title"].replace(".", " ").split() if word.isdigit() and len(word) == 6)
    assert Delivery.objects.get().content is None
    wrong = "000000" if code != "000000" else "111111"
    with pytest.raises(Refusal, match=r"channel\.code_wrong"):
        notice_settings.confirm_address(lin, "sms", wrong, cast.now)
    assert ChannelAddress.objects.get().tries == 1
    notice_settings.confirm_address(lin, "sms", f" {code} ", cast.now)
    notice_settings.save_settings(lin, Wishes({"organisation": ["sms"]}, digest="weekly"), cast.now)
    with pytest.raises(Delivery.DoesNotExist):
        told()
    assert send_all(cast.now) == ["sent"]
    assert sent(text_messages)[-1]["title"] == "You are now in Kunlun"
    assert sent(text_messages)[-1]["url"].endswith("/organisations/")
    notice_settings.forget_address(lin, "sms", cast.now)
    with pytest.raises(Delivery.DoesNotExist):
        told()
    assert send_all(cast.now) == [""]
    assert Delivery.objects.latest("pk").state == "dropped"


def test_forgetting_an_address_gives_no_more_codes(cast, text_messages):
    lin = cast.actor("lin")
    for place in range(notice_settings.MOST_CODES):
        now = cast.now + place * notice_settings.CODE_EVERY
        notice_settings.give_address(lin, "sms", f"1380000000{place}", now)
        notice_settings.forget_address(lin, "sms", now)
        with pytest.raises(Refusal, match=r"channel\.too_soon"):
            notice_settings.give_address(lin, "sms", "13900000000", now + timedelta(seconds=59))
    with pytest.raises(Refusal, match=r"channel\.too_many"):
        notice_settings.give_address(lin, "sms", "13900000000", cast.now + HOUR)
    assert notice_settings.give_address(lin, "sms", "13900000000", cast.now + 25 * HOUR).address == "13900000000"


def test_a_code_is_over_after_its_time_and_after_five_wrong_ones(cast, text_messages):
    lin = cast.actor("lin")
    notice_settings.give_address(lin, "sms", "13800000000", cast.now)
    with pytest.raises(Refusal, match=r"channel\.code_over"):
        notice_settings.confirm_address(lin, "sms", "000000", cast.now + HOUR)
    for _ in range(notice_settings.MOST_TRIES):
        with pytest.raises(Refusal, match=r"channel\.code_wrong"):
            notice_settings.confirm_address(lin, "sms", "x", cast.now)
    with pytest.raises(Refusal, match=r"channel\.code_over"):
        notice_settings.confirm_address(lin, "sms", "x", cast.now)


class Broken:
    """An adapter whose provider is down, and says too much."""

    label, address_label = "Broken", "Number"

    def __init__(self, name: str) -> None:
        self.name = name

    def checked(self, address: str) -> str:
        return address

    def send(self, message: channels.Message) -> None:
        raise ConnectionError(f"could not send {message.title} to {message.to}")


def test_an_adapter_that_fails_is_tried_again_and_what_it_says_is_not_kept(cast, settings):
    settings.NOTICE_CHANNELS = {"sms": "tests.instruments.notices.test_settings.Broken"}
    channels._made.cache_clear()
    notice_settings.give_address(cast.actor("lin"), "sms", "13800000000", cast.now)
    assert send_all(cast.now) == ["waiting"]
    one = Delivery.objects.get()
    assert (one.error, one.attempts) == ("ConnectionError", 1)
    settings.NOTICE_CHANNELS = {}
    assert notice_delivery.deliver(one.pk, one.due_at) == "failed"
    channels._made.cache_clear()


@pytest.mark.parametrize("value", ["sms", "sms=", "email=x.Y", "SMS=x.Y", "sms=x", "sms=x.Y.", "sms=x.Y, ,z"])
def test_a_list_of_adapters_that_cannot_be_read_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("JISHI_CHANNELS", value)
    with pytest.raises(ImproperlyConfigured, match="JISHI_CHANNELS"):
        env.adapters("JISHI_CHANNELS", "")


def test_adapters_are_named_by_short_names(monkeypatch):
    monkeypatch.setenv("JISHI_CHANNELS", "sms=a.B, wechat_work=c.d.E")
    assert env.adapters("JISHI_CHANNELS", "") == {"sms": "a.B", "wechat_work": "c.d.E"}
