"""Which of the Bank's two generations answers which operation; see connector.yaml for the keys of each."""

from __future__ import annotations

from integrator.contract import Question, Reply

from .services import Services
from .ssdn import Ssdn


class Ksz:
    """One connector, two generations: SSDN (text in text) and the newer services with a status and a legal context."""

    def __init__(self, services: Services, ssdn: Ssdn) -> None:
        self._asks = {
            "household_composition": services.household_composition,
            "living_wage": services.living_wage,
            "social_status": services.social_status,
            "dmfa_consultation": services.dmfa_consultation,
            "identify_person": ssdn.identify_person,
            "manage_access": ssdn.manage_access,
            "register_access": ssdn.register_access,
            "unregister_access": ssdn.unregister_access,
            "list_access": ssdn.list_access,
        }

    async def ask(self, question: Question) -> Reply:
        """Ask the service behind `question.operation`."""
        return await self._asks[question.operation](question)

    async def check(self) -> None:
        """Contracts, keys and certificates were proven by building; the Bank has no question that asks nothing."""
