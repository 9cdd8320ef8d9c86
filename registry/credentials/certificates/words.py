"""The words that stand on every certificate, by language; everything else on it is the issuer's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date


@dataclass(frozen=True, slots=True)
class Words:
    """One language. ``issued`` and the like have `{}` where the date goes."""

    title: str
    awarded_to: str
    criteria: str
    result: str
    credits: str
    issued: str
    valid_until: str
    test_chain: str
    code_caption: str
    code_caption_alone: str
    code_alt: str
    chain: str
    anchored: str
    root: str
    check: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        title="Certificate",
        awarded_to="awarded to",
        criteria="Criteria:",
        result="Result",
        credits="Credits",
        issued="Issued on {}",
        valid_until="valid until {}",
        test_chain="On a test chain: this certificate proves nothing elsewhere.",
        code_caption="Its page, with its present status",
        code_caption_alone="Drop this file there to check it",
        code_alt="QR code of the address where this certificate is checked",
        chain="Registry",
        anchored="Anchored",
        root="Root",
        check="The credential is attached to this file. Whoever has the file can check it.",
    ),
    "de": Words(
        title="Zertifikat",
        awarded_to="verliehen an",
        criteria="Anforderungen:",
        result="Ergebnis",
        credits="Leistungspunkte",
        issued="Ausgestellt am {}",
        valid_until="gültig bis {}",
        test_chain="Auf einer Testkette: Dieses Zertifikat beweist anderswo nichts.",
        code_caption="Seine Seite mit dem heutigen Stand",
        code_caption_alone="Legen Sie diese Datei dort ab, um sie zu prüfen",
        code_alt="QR-Code der Adresse, unter der dieses Zertifikat geprüft wird",
        chain="Register",
        anchored="Verankert",
        root="Wurzel",
        check="Der Nachweis ist dieser Datei angehängt. Wer die Datei hat, kann ihn prüfen.",
    ),
    "es": Words(
        title="Certificado",
        awarded_to="otorgado a",
        criteria="Requisitos:",
        result="Resultado",
        credits="Créditos",
        issued="Emitido el {}",
        valid_until="válido hasta el {}",
        test_chain="En una cadena de pruebas: este certificado no demuestra nada en otro lugar.",
        code_caption="Su página, con su estado actual",
        code_caption_alone="Suelte allí este archivo para comprobarlo",
        code_alt="Código QR de la dirección donde se comprueba este certificado",
        chain="Registro",
        anchored="Anclado",
        root="Raíz",
        check="La credencial va adjunta a este archivo. Quien tenga el archivo puede comprobarla.",
    ),
    "fr": Words(
        title="Certificat",
        awarded_to="décerné à",
        criteria="Exigences :",
        result="Résultat",
        credits="Crédits",
        issued="Délivré le {}",
        valid_until="valable jusqu’au {}",
        test_chain="Sur une chaîne de test : ce certificat ne prouve rien ailleurs.",
        code_caption="Sa page, avec son état actuel",
        code_caption_alone="Déposez-y ce fichier pour le vérifier",
        code_alt="Code QR de l’adresse où ce certificat se vérifie",
        chain="Registre",
        anchored="Ancré",
        root="Racine",
        check="L’attestation est jointe à ce fichier. Quiconque a le fichier peut la vérifier.",
    ),
}


def day(moment: datetime, language: str) -> str:
    """A day, written out."""
    return format_date(moment, format="long", locale=language)
