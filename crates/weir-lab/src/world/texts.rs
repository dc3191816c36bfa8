//! Titles and descriptions in five languages.

/// Titles and descriptions of an update: language, title, description. English is among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// In the order of the document.
    pub(super) localized: Vec<(&'static str, String, String)>,
    /// Its article.
    pub(super) article: Option<u32>,
}

impl Texts {
    /// Fills a template; `{name}` stands for the value of that name. `{system}` is the processor's name, which each language
    /// has its own word for, and `{kb}` the article.
    pub(super) fn fill(template: &Template, system: &str, values: &[(&str, &str)], article: Option<u32>) -> Self {
        let fill = |language: &str, text: &str| {
            let mut text = text.replace("{system}", &systems(language, system));
            if let Some(article) = article {
                text = text.replace("{kb}", &format!("KB{article}"));
            }
            values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let localized = template
            .iter()
            .map(|(language, title, description)| (*language, fill(language, title), fill(language, description)))
            .collect();
        Self { localized, article }
    }

    /// The English title.
    pub(super) fn title(&self) -> &str {
        self.localized.iter().find(|(language, ..)| *language == "en").map_or("", |(_, title, _)| title)
    }
}

/// Language, title, description.
pub(super) type Template = [(&'static str, &'static str, &'static str)];

fn systems(language: &str, system: &str) -> String {
    match language {
        "de" => format!("{system}-basierte Systeme"),
        "es" => format!("sistemas basados en {system}"),
        "fr" => format!("systèmes {system}"),
        "ja" => format!("{system} ベース システム"),
        _ => format!("{system}-based Systems"),
    }
}

/// A cumulative update of Windows.
pub(super) const CUMULATIVE: &Template = &[
    (
        "de",
        "{month} Kumulatives Update für {product} für {system} ({kb}) ({version})",
        "Bringt alle Korrekturen bis einschließlich dieses Monats. Ein Neustart kann nötig sein.",
    ),
    (
        "en",
        "{month} Cumulative Update for {product} for {system} ({kb}) ({version})",
        "Brings every fix up to and including this month. A restart may be needed.",
    ),
    (
        "es",
        "{month} Actualización acumulativa para {product} para {system} ({kb}) ({version})",
        "Trae todas las correcciones hasta este mes incluido. Puede hacer falta reiniciar.",
    ),
    (
        "fr",
        "{month} Mise à jour cumulative pour {product} pour {system} ({kb}) ({version})",
        "Apporte toutes les corrections jusqu'à ce mois compris. Un redémarrage peut être nécessaire.",
    ),
    (
        "ja",
        "{month} {product} の累積更新プログラム ({system} 用) ({kb}) ({version})",
        "今月までのすべての修正を含みます。再起動が必要な場合があります。",
    ),
];

/// What comes two weeks early.
pub(super) const PREVIEW: &Template = &[
    (
        "de",
        "{month} Kumulatives Preview-Update für {product} für {system} ({kb}) ({version})",
        "Ein Vorgeschmack auf den nächsten Monat, für alle, die früh testen wollen.",
    ),
    (
        "en",
        "{month} Cumulative Update Preview for {product} for {system} ({kb}) ({version})",
        "A taste of next month for those who want to test early.",
    ),
    (
        "fr",
        "{month} Aperçu de la mise à jour cumulative pour {product} pour {system} ({kb}) ({version})",
        "Un avant-goût du mois prochain, pour ceux qui veulent tester tôt.",
    ),
];

/// The .NET Framework.
pub(super) const FRAMEWORK: &Template = &[
    (
        "de",
        "{month} Kumulatives Update für .NET Framework 4.8 und 4.8.1 für {product} für {system} ({kb})",
        "Schließt Lücken im .NET Framework. Offene Programme werden beim nächsten Start aktualisiert.",
    ),
    (
        "en",
        "{month} Cumulative Update for .NET Framework 4.8 and 4.8.1 for {product} for {system} ({kb})",
        "Closes holes in the .NET Framework. Programs that run take it up at their next start.",
    ),
    (
        "es",
        "{month} Actualización acumulativa para .NET Framework 4.8 y 4.8.1 para {product} para {system} ({kb})",
        "Cierra agujeros de .NET Framework. Los programas abiertos la usan al volver a arrancar.",
    ),
    (
        "fr",
        "{month} Mise à jour cumulative pour .NET Framework 4.8 et 4.8.1 pour {product} pour {system} ({kb})",
        "Ferme des failles de .NET Framework. Les programmes ouverts en profitent à leur prochain démarrage.",
    ),
];

/// A servicing stack update.
pub(super) const SERVICING: &Template = &[
    (
        "de",
        "{month} Servicing Stack Update für {product} für {system} ({kb})",
        "Macht das Installieren späterer Updates zuverlässiger.",
    ),
    (
        "en",
        "{month} Servicing Stack Update for {product} for {system} ({kb})",
        "Makes installing later updates more dependable.",
    ),
];

/// A new release of Windows.
pub(super) const FEATURE: &Template = &[
    (
        "de",
        "Funktionsupdate auf {product} über Aktivierungspaket ({kb})",
        "Schaltet die Funktionen frei, die mit den Monatsupdates schon auf dem Computer liegen.",
    ),
    (
        "en",
        "Feature Update to {product} by Enablement Package ({kb})",
        "Switches on the features that the monthly updates have brought to the computer already.",
    ),
    (
        "fr",
        "Mise à jour de fonctionnalités vers {product} par paquet d'activation ({kb})",
        "Active les fonctionnalités que les mises à jour mensuelles ont déjà apportées.",
    ),
];

/// The removal tool.
pub(super) const TOOL: &Template = &[
    (
        "de",
        "Windows-Tool zum Entfernen bösartiger Software {system} - {version} (KB890830)",
        "Sucht nach verbreiteter Schadsoftware und entfernt, was es findet.",
    ),
    (
        "en",
        "Windows Malicious Software Removal Tool {system} - {version} (KB890830)",
        "Looks for widespread malware and removes what it finds.",
    ),
    (
        "es",
        "Herramienta de eliminación de software malintencionado {system} - {version} (KB890830)",
        "Busca malware extendido y quita lo que encuentra.",
    ),
    (
        "fr",
        "Outil de suppression de logiciels malveillants {system} - {version} (KB890830)",
        "Cherche les logiciels malveillants répandus et retire ce qu'il trouve.",
    ),
];

/// Definitions of the scanner.
pub(super) const DEFINITION: &Template = &[
    (
        "de",
        "Security Intelligence-Update für Microsoft Defender Antivirus - {kb} (Version {version})",
        "Erkennt, was in den letzten Stunden bekannt wurde.",
    ),
    (
        "en",
        "Security Intelligence Update for Microsoft Defender Antivirus - {kb} (Version {version})",
        "Recognises what became known in the last hours.",
    ),
];

/// The scanner itself.
pub(super) const SCANNER: &Template = &[
    (
        "de",
        "Update für die Plattform von Microsoft Defender Antivirus - {kb} (Version {version})",
        "Erneuert das Programm, das mit den Definitionen arbeitet.",
    ),
    (
        "en",
        "Update for Microsoft Defender Antivirus platform - {kb} (Version {version})",
        "Renews the program that works with the definitions.",
    ),
];

/// An application.
pub(super) const APPLICATION: &Template = &[
    (
        "de",
        "{month} Sicherheitsupdate für {product} ({kb})",
        "Behebt Fehler in {product}, die Angreifern nützen könnten.",
    ),
    ("en", "{month} Security Update for {product} ({kb})", "Mends faults of {product} that could serve an attacker."),
    (
        "es",
        "{month} Actualización de seguridad para {product} ({kb})",
        "Corrige fallos de {product} que podrían servir a un atacante.",
    ),
    (
        "fr",
        "{month} Mise à jour de sécurité pour {product} ({kb})",
        "Corrige des défauts de {product} utiles à un attaquant.",
    ),
    (
        "ja",
        "{month} {product} のセキュリティ更新プログラム ({kb})",
        "攻撃に使われるおそれのある {product} の不具合を修正します。",
    ),
];

/// An application that is known by its version.
pub(super) const VERSIONED: &Template = &[
    ("de", "{product} Version {version}, Update für {system}", "Neue Version mit allen Korrekturen."),
    ("en", "{product} Version {version} Update for {system}", "A new version with every fix."),
    (
        "fr",
        "{product} version {version}, mise à jour pour {system}",
        "Une nouvelle version avec toutes les corrections.",
    ),
];

/// A driver.
pub(super) const DRIVER: &Template = &[
    ("de", "{provider} - {class} - {version}", "Treiber für {model}, freigegeben im {month}."),
    ("en", "{provider} - {class} - {version}", "Driver for {model}, released in {month}."),
];
