"""Days: which day an instant falls on, and which days a filter holds, as the dialect reads them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Days:
    """A reading of `startDate` and `endDate`; days are texts, Y-m-d."""

    zone: str = "UTC"
    later: int = 0  # days between an instant and the day that the filter means
    end_included: bool = True

    @property
    def place(self) -> tuple[str, int]:
        """What decides the day of an instant, to remember days by."""
        return self.zone, self.later

    def of(self, moment: datetime) -> str:
        """Name the day of an instant."""
        # Not ZoneInfo("UTC"): a machine without a time zone database still has UTC.
        zone: tzinfo = UTC if self.zone == "UTC" else ZoneInfo(self.zone)
        try:
            return (moment + timedelta(days=self.later)).astimezone(zone).date().isoformat()
        except OverflowError:
            return moment.date().isoformat()  # 9999-12-31 means "never", in every reading

    def holds(self, start: str, day: str, end: str) -> bool:
        """Tell whether the filter holds a day."""
        return start <= day <= end if self.end_included else start <= day < end


PLAIN_DAYS = Days()
