"""Validates recorded SOAP answers against the published service descriptions.

Usage: validate.py WSDL_FOLDER ANSWERS_FOLDER

ANSWERS_FOLDER holds files named `<anything>.<Service>.<Operation>.xml`, one answer each, where Service is the name of a
service description without its ending: ClientWebService, SimpleAuth or ReportingWebService between computers and servers,
ServerSyncWebService, DssAuthWebService or ServerReportingWebService between servers. Each answer is checked twice: zeep, in strict mode, must be able to
read it as the reply of that operation in the binding of its SOAP version, and the payload must be valid by the XML
schemas inside the description (zeep is lenient about order and missing elements). Faults are read by zeep as faults.

`validate.py --self-test WSDL_FOLDER ANSWERS_FOLDER` also proves that the check can fail: every answer is damaged in
turn (an unknown element added, the payload renamed) and must then be refused.
"""

import copy
import os
import sys
import tempfile

import zeep
from lxml import etree

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
XSD = "http://www.w3.org/2001/XMLSchema"


class Reply:
    """What zeep wants to know of an HTTP answer."""

    def __init__(self, content, version):
        self.content = content
        self.status_code = 200
        self.encoding = "utf-8"
        kind = "application/soap+xml" if version == SOAP12 else "text/xml"
        self.headers = {"Content-Type": f"{kind}; charset=utf-8"}


class Description:
    """One service description: zeep's reading of it and its schemas on their own."""

    def __init__(self, path):
        self.client = zeep.Client(path, settings=zeep.Settings(strict=True, xml_huge_tree=True))
        self.bindings = {}
        for service in self.client.wsdl.services.values():
            for port in service.ports.values():
                version = SOAP12 if "12" in type(port.binding).__name__ else SOAP11
                self.bindings[version] = port.binding
        self.schema = self.compile_schemas(path)

    @staticmethod
    def compile_schemas(path):
        schemas = etree.parse(path).findall(f".//{{{XSD}}}schema")
        folder = tempfile.mkdtemp()
        files = {s.get("targetNamespace"): os.path.join(folder, f"{i}.xsd") for i, s in enumerate(schemas)}
        for schema in schemas:
            for link in schema.findall(f"{{{XSD}}}import"):
                if link.get("namespace") in files:
                    link.set("schemaLocation", files[link.get("namespace")])
            etree.ElementTree(schema).write(files[schema.get("targetNamespace")])
        root = etree.Element(f"{{{XSD}}}schema")
        for namespace, file in files.items():
            etree.SubElement(root, f"{{{XSD}}}import", namespace=namespace, schemaLocation=file)
        return etree.XMLSchema(root)

    def check(self, operation, text):
        """Returns what is wrong with an answer, or None."""
        try:
            envelope = etree.fromstring(text, etree.XMLParser(huge_tree=True, resolve_entities=False))
        except etree.XMLSyntaxError as error:
            return f"not XML: {error}"
        version = etree.QName(envelope).namespace
        if version not in self.bindings:
            return f"not an envelope of SOAP 1.1 or 1.2: {envelope.tag}"
        binding = self.bindings[version]
        if operation not in binding._operations:
            return f"the description has no operation {operation} for {version}"
        body = envelope.find(f"{{{version}}}Body")
        if body is None or len(body) != 1:
            return "the body does not have exactly one child"
        payload = body[0]
        try:
            binding.process_reply(self.client, binding.get(operation), Reply(text, version))
        except zeep.exceptions.Fault:
            return None if payload.tag == f"{{{version}}}Fault" else "read as a fault"
        except Exception as error:  # zeep raises many kinds; each is a refusal
            return f"zeep: {type(error).__name__}: {error}"
        if not self.schema.validate(payload):
            return f"schema: {self.schema.error_log.last_error}"
        return None


def damaged(text):
    """Variants of an answer that no validator may accept, with what was done to each."""
    envelope = etree.fromstring(text)
    version = etree.QName(envelope).namespace
    payload = envelope.find(f"{{{version}}}Body")[0]
    if payload.tag == f"{{{version}}}Fault":
        return
    extra = copy.deepcopy(envelope)
    target = extra.find(f"{{{version}}}Body")[0]
    target = target[0] if len(target) else target
    etree.SubElement(target, f"{{{etree.QName(payload).namespace}}}NotInTheDescription").text = "1"
    yield "unknown element", etree.tostring(extra)
    renamed = copy.deepcopy(envelope)
    renamed.find(f"{{{version}}}Body")[0].tag += "X"
    yield "renamed payload", etree.tostring(renamed)


def main(arguments):
    self_test = arguments[:1] == ["--self-test"]
    wsdl_folder, answers_folder = arguments[1:] if self_test else arguments
    descriptions, checked, wrong = {}, 0, 0
    for name in sorted(os.listdir(answers_folder)):
        parts = name.split(".")
        if len(parts) < 4 or parts[-1] != "xml":
            continue
        service, operation = parts[-3], parts[-2]
        if service not in descriptions:
            descriptions[service] = Description(os.path.join(wsdl_folder, f"{service}.wsdl"))
        with open(os.path.join(answers_folder, name), "rb") as file:
            text = file.read()
        checked += 1
        problem = descriptions[service].check(operation, text)
        if problem:
            wrong += 1
            print(f"{name}: {problem}")
        elif self_test:
            for what, variant in damaged(text):
                if descriptions[service].check(operation, variant) is None:
                    wrong += 1
                    print(f"{name}: {what} was not noticed")
    print(f"{checked} answers checked, {wrong} wrong")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
