"""One WSDL 1.1 for each domain: document/literal, wrapped, SOAP 1.1 over HTTP; its schema stands inside. The same bytes always."""

from __future__ import annotations

from integrator.api.soap.contract import PATH, Domain, Operation
from integrator.api.soap.xsd import schema
from integrator.transport.xml import escape, escape_attribute

_WSDL, _SOAP = "http://schemas.xmlsoap.org/wsdl/", "http://schemas.xmlsoap.org/wsdl/soap/"
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_ABOUT = (
    "Sign every message: an X.509 BinarySecurityToken, and one signature over Timestamp and Body (exc-c14n; rsa-sha256 or "
    "ecdsa-sha256). A refusal is a fault with the element `problem` in its detail. An answer is signed by the hub."
)


def render(domain: Domain, base: str) -> bytes:
    """`base`: the hub's own address."""
    title = domain.name[:1].upper() + domain.name[1:]
    operations = list(domain.operations.values())
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<wsdl:definitions xmlns:wsdl="{_WSDL}" xmlns:soap="{_SOAP}" xmlns:tns="{domain.namespace}" '
        f'targetNamespace="{domain.namespace}" name="{title}">',
        f"<wsdl:documentation>{escape(_ABOUT)}</wsdl:documentation>",
        f"<wsdl:types>\n{schema(domain)}\n</wsdl:types>",
        *(_message(name, name) for one in operations for name in (one.name, one.name + "Response")),
        _message("problem", "problem"), _message("record", "record"),
        f'<wsdl:portType name="{title}">', *map(_abstract, operations), "</wsdl:portType>",
        f'<wsdl:binding name="{title}Soap" type="tns:{title}"><soap:binding style="document" transport="{_HTTP}"/>',
        *(_bound(one, domain.namespace) for one in operations), "</wsdl:binding>",
        f'<wsdl:service name="{title}"><wsdl:port name="{title}Soap" binding="tns:{title}Soap">'
        f'<soap:address location="{escape_attribute(base + PATH + domain.name)}"/></wsdl:port></wsdl:service>',
        "</wsdl:definitions>\n",
    ]  # fmt: skip
    return "\n".join(parts).encode()


def _message(name: str, element: str) -> str:
    part = "parameters" if name not in ("problem", "record") else name
    return f'<wsdl:message name="{name}"><wsdl:part name="{part}" element="tns:{element}"/></wsdl:message>'


def _abstract(one: Operation) -> str:
    return (
        f'<wsdl:operation name="{one.name}"><wsdl:documentation>{escape(one.title)}</wsdl:documentation>'
        f'<wsdl:input message="tns:{one.name}"/><wsdl:output message="tns:{one.name}Response"/>'
        '<wsdl:fault name="problem" message="tns:problem"/></wsdl:operation>'
    )


def _bound(one: Operation, namespace: str) -> str:
    return (
        f'<wsdl:operation name="{one.name}"><soap:operation soapAction="{namespace}:{one.name}" style="document"/>'
        '<wsdl:input><soap:body use="literal"/></wsdl:input>'
        '<wsdl:output><soap:header message="tns:record" part="record" use="literal"/><soap:body use="literal"/></wsdl:output>'
        '<wsdl:fault name="problem"><soap:fault name="problem" use="literal"/></wsdl:fault></wsdl:operation>'
    )
