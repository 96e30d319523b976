"""From the Belgian grids to latitude and longitude and back: Lambert 72, Lambert 2008, WGS 84.

Lambert conformal conic with two standard parallels, then a seven-parameter shift between the ellipsoids (the national
geographic institute's parameters, EPSG 15929). Good to about a metre inside Belgium. (0, 0) is not special here:
it comes out as a point in France, exactly as it does at the real source.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, atan2, cos, degrees, hypot, log, pi, radians, sin, sqrt, tan

_ARCSECOND = pi / 648_000


@dataclass(frozen=True, slots=True)
class Conic:
    """A Lambert conic projection on its ellipsoid; angles in radians, lengths in metres."""

    a: float  # half the long axis
    e: float  # eccentricity
    n: float  # cone constant
    f: float  # scale of the cone
    rho0: float  # radius at the origin
    lon0: float
    x0: float
    y0: float

    def geographic(self, x: float, y: float) -> tuple[float, float]:
        """Latitude and longitude of a grid point, in radians, on this ellipsoid."""
        east, south = x - self.x0, self.rho0 - (y - self.y0)
        t = (hypot(east, south) / (self.a * self.f)) ** (1 / self.n)
        lat = pi / 2 - 2 * atan(t)
        for _ in range(6):  # converges by a factor 300 a turn
            es = self.e * sin(lat)
            lat = pi / 2 - 2 * atan(t * ((1 - es) / (1 + es)) ** (self.e / 2))
        return lat, self.lon0 + atan2(east, south) / self.n

    def grid(self, lat: float, lon: float) -> tuple[float, float]:
        """Grid point of a latitude and longitude in radians."""
        rho = self.a * self.f * _t(lat, self.e) ** self.n
        turn = self.n * (lon - self.lon0)
        return self.x0 + rho * sin(turn), self.y0 + self.rho0 - rho * cos(turn)


def _t(lat: float, e: float) -> float:
    es = e * sin(lat)
    scale: float = ((1 - es) / (1 + es)) ** (e / 2)
    return tan(pi / 4 - lat / 2) / scale


def _conic(
    a: float, flattening: float, parallels: tuple[float, float], origin: tuple[float, float], x0: float, y0: float
) -> Conic:
    e = sqrt(2 * flattening - flattening**2)
    first, second = (radians(parallel) for parallel in parallels)
    m1, m2 = (cos(lat) / sqrt(1 - (e * sin(lat)) ** 2) for lat in (first, second))
    t1, t2 = _t(first, e), _t(second, e)
    n = (log(m1) - log(m2)) / (log(t1) - log(t2))
    f = m1 / (n * t1**n)
    lat0, lon0 = (radians(angle) for angle in origin)
    rho0 = 0.0 if origin[0] == 90 else a * f * _t(lat0, e) ** n
    return Conic(a, e, n, f, rho0, lon0, x0, y0)


LAMBERT72 = _conic(6_378_388.0, 1 / 297, (49.8333339, 51.1666672333), (90.0, 4.36748666667), 150_000.013, 5_400_088.438)
LAMBERT2008 = _conic(
    6_378_137.0, 1 / 298.257222101, (49.8333333333, 51.1666666667), (50.797815, 4.35921583333), 649_328.0, 665_262.0
)

_SHIFT = (-106.8686, 52.2978, -103.7239)  # metres, Lambert 72's datum to WGS 84
_TURN = tuple(angle * _ARCSECOND for angle in (0.3366, -0.457, 1.8422))
_SCALE = 1 - 1.2747e-6
_HAYFORD, _WGS84 = (6_378_388.0, 1 / 297), (6_378_137.0, 1 / 298.257223563)


def wgs84(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude in degrees of a point in Lambert 72.

    >>> [round(angle, 3) for angle in wgs84(150_000, 170_000)]
    [50.84, 4.369]
    """
    lat, lon = LAMBERT72.geographic(x, y)
    px, py, pz = _to_space(lat, lon, *_HAYFORD)
    (dx, dy, dz), (rx, ry, rz) = _SHIFT, _TURN
    moved = (  # position-vector rotation: the signs of proj's towgs84
        dx + _SCALE * (px - rz * py + ry * pz),
        dy + _SCALE * (rz * px + py - rx * pz),
        dz + _SCALE * (-ry * px + rx * py + pz),
    )
    lat, lon = _from_space(*moved, *_WGS84)
    return degrees(lat), degrees(lon)


def lambert72(system: str, x: float, y: float) -> tuple[float, float]:
    """A point of `wgs84` (x = longitude), `lam08` or `lam72`, in Lambert 72; by Newton's way for the first two."""
    if system == "lam72":
        return x, y
    if system == "lam08":
        lat, lon = LAMBERT2008.geographic(x, y)
        y, x = degrees(lat), degrees(lon)
    gx, gy = LAMBERT72.grid(radians(y), radians(x))
    for _ in range(3):  # the datums lie some 100 m apart: correct by what is left
        lat, lon = wgs84(gx, gy)
        ex, ey = LAMBERT72.grid(radians(y), radians(x))
        fx, fy = LAMBERT72.grid(radians(lat), radians(lon))
        gx, gy = gx + ex - fx, gy + ey - fy
    return gx, gy


def _to_space(lat: float, lon: float, a: float, flattening: float) -> tuple[float, float, float]:
    e2 = 2 * flattening - flattening**2
    normal = a / sqrt(1 - e2 * sin(lat) ** 2)
    return normal * cos(lat) * cos(lon), normal * cos(lat) * sin(lon), normal * (1 - e2) * sin(lat)


def _from_space(x: float, y: float, z: float, a: float, flattening: float) -> tuple[float, float]:
    """Bowring's formula: exact enough at ground level without iterating."""
    e2, b = 2 * flattening - flattening**2, a * (1 - flattening)
    p = hypot(x, y)
    theta = atan2(z * a, p * b)
    second = e2 / (1 - e2)
    lat = atan2(z + second * b * sin(theta) ** 3, p - e2 * a * cos(theta) ** 3)
    return lat, atan2(y, x)
