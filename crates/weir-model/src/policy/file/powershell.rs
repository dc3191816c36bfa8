//! A PowerShell script that sets and removes values.
//!
//! It runs on Windows PowerShell 5.1 and later, as administrator; running it again changes nothing, and `-WhatIf` shows what
//! it would change. It opens the 64-bit view by name, since a 32-bit PowerShell would be given another for other keys.

use std::fmt::Write as _;

use super::super::registry::{Change, Data, Entry, Root};

/// Everything but the values.
const HEAD: &str = r#"[CmdletBinding(SupportsShouldProcess = $true)]
param()

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$script:Changed = 0

$identity = [Security.Principal.WindowsPrincipal]::new([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $WhatIfPreference -and -not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'Run this script as administrator, or with -WhatIf to see what it would change.'
}

function Open-Root {
    param([string] $Root)
    [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive] $Root, [Microsoft.Win32.RegistryView]::Registry64)
}

function Set-Value {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $Root, [string] $Key, [string] $Name, [string] $Kind, $Data)
    $base = Open-Root $Root
    try {
        $open = $base.OpenSubKey($Key, $false)
        if ($null -ne $open) {
            try {
                if ($open.GetValueNames() -contains $Name -and [string] $open.GetValueKind($Name) -eq $Kind) {
                    $old = $open.GetValue($Name, $null, [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
                    if ((@($old) -join "`n") -ceq (@($Data) -join "`n") -and @($old).Count -eq @($Data).Count) { return }
                }
            } finally { $open.Dispose() }
        }
        if ($PSCmdlet.ShouldProcess("$Root\$Key\$Name", "Set to $Data")) {
            $open = $base.CreateSubKey($Key)
            try { $open.SetValue($Name, $Data, [Microsoft.Win32.RegistryValueKind] $Kind) } finally { $open.Dispose() }
            $script:Changed++
        }
    } finally { $base.Dispose() }
}

function Remove-Value {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $Root, [string] $Key, [string] $Name, [bool] $All)
    $base = Open-Root $Root
    try {
        $open = $base.OpenSubKey($Key, $false)
        if ($null -eq $open) { return }
        try { $names = @($open.GetValueNames() | Where-Object { $All -or $_ -eq $Name }) } finally { $open.Dispose() }
        foreach ($one in $names) {
            if ($PSCmdlet.ShouldProcess("$Root\$Key\$one", 'Remove')) {
                $open = $base.OpenSubKey($Key, $true)
                try { $open.DeleteValue($one, $false) } finally { $open.Dispose() }
                $script:Changed++
            }
        }
    } finally { $base.Dispose() }
}

function Add-Key {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $Root, [string] $Key)
    $base = Open-Root $Root
    try {
        $open = $base.OpenSubKey($Key, $false)
        if ($null -ne $open) { $open.Dispose(); return }
        if ($PSCmdlet.ShouldProcess("$Root\$Key", 'Create')) {
            $base.CreateSubKey($Key).Dispose()
            $script:Changed++
        }
    } finally { $base.Dispose() }
}

function Remove-Key {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $Root, [string] $Key)
    $base = Open-Root $Root
    try {
        $open = $base.OpenSubKey($Key, $false)
        if ($null -eq $open) { return }
        $open.Dispose()
        if ($PSCmdlet.ShouldProcess("$Root\$Key", 'Remove with everything below it')) {
            $base.DeleteSubKeyTree($Key, $false)
            $script:Changed++
        }
    } finally { $base.Dispose() }
}

"#;

/// Writes a script, in ASCII. `title` becomes its first comment.
pub fn script(entries: &[Entry], title: &str) -> String {
    let title: String = title.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    let mut out = format!("# {title}\n#Requires -Version 5.1\n{HEAD}");
    for entry in entries {
        let at = format!("-Root {} -Key {}", hive(entry.root()), text(entry.key()));
        let _ = match entry.change() {
            Change::CreateKey => writeln!(out, "Add-Key {at}"),
            Change::DeleteKey => writeln!(out, "Remove-Key {at}"),
            Change::DeleteValue(name) => writeln!(out, "Remove-Value {at} -Name {} -All $false", text(name)),
            Change::DeleteValues => writeln!(out, "Remove-Value {at} -Name '' -All $true"),
            Change::Set(name, data) => {
                let (kind, data) = value(data);
                writeln!(out, "Set-Value {at} -Name {} -Kind {kind} -Data {data}", text(name))
            }
        };
    }
    out.push_str("\n\"$script:Changed changed\"\n");
    out.replace('\n', "\r\n")
}

/// Names of `Microsoft.Win32.RegistryHive`.
fn hive(root: Root) -> &'static str {
    match root {
        Root::ClassesRoot => "ClassesRoot",
        Root::CurrentConfig => "CurrentConfig",
        Root::CurrentUser => "CurrentUser",
        Root::LocalMachine => "LocalMachine",
        Root::Users => "Users",
    }
}

/// Name of `Microsoft.Win32.RegistryValueKind` and the expression of the data. Numbers are signed there.
fn value(data: &Data) -> (&'static str, String) {
    match data {
        Data::Binary(bytes) => ("Binary", array("byte", bytes.iter().map(|byte| format!("0x{byte:02x}")))),
        Data::Dword(number) => ("DWord", format!("([int] {})", number.cast_signed())),
        Data::Expand(content) => ("ExpandString", text(content)),
        Data::Multi(texts) => ("MultiString", array("string", texts.iter().map(|content| text(content)))),
        Data::Qword(number) => {
            let (low, high) = (*number as u32, (number >> 32) as u32);
            // the least long has no literal of its own
            let bytes: Vec<String> =
                [low.to_le_bytes(), high.to_le_bytes()].concat().iter().map(|byte| format!("0x{byte:02x}")).collect();
            ("QWord", format!("([BitConverter]::ToInt64([byte[]] @({}), 0))", bytes.join(", ")))
        }
        // .NET writes kinds that it does not know as they are only under "None"
        Data::Raw { bytes, .. } => ("None", array("byte", bytes.iter().map(|byte| format!("0x{byte:02x}")))),
        Data::Text(content) => ("String", text(content)),
    }
}

fn array(of: &str, parts: impl Iterator<Item = String>) -> String {
    format!("([{of}[]] @({}))", parts.collect::<Vec<_>>().join(", "))
}

/// Text as an expression. In single quotes nothing has a meaning but the quote, and typographic quotes count as such: what is
/// not plain ASCII goes as numbers of its UTF-16 units.
fn text(content: &str) -> String {
    if content.chars().all(|c| (' '..='~').contains(&c)) {
        return format!("'{}'", content.replace('\'', "''"));
    }
    let units: Vec<String> = content.encode_utf16().map(|unit| format!("0x{unit:x}")).collect();
    format!("([string]::new([char[]] @({})))", units.join(", "))
}
