"""Orders about keeping: restrict and release, hold and unhold, erase; asked by one person, agreed by another.

wanted.py    what is asked, read strictly            pile.py    orders that wait, sealed
carrying.py  what audit.keeping will do, and does    office.py  who may, and in which order
pages.py     /console/orders                         api.py     /audit/v1/orders
"""

from integrator.consoles.orders.office import OrderNotNow, Orders
from integrator.consoles.orders.pages import room
from integrator.consoles.orders.pile import Pile

__all__ = ["OrderNotNow", "Orders", "Pile", "room"]
