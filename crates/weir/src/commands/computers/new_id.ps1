# Gives this machine an id of its own at its update server.
#
# For machines made from one disk image that carry the same SusClientId: to the server they are one computer, whose status is
# that of whichever reported last. Run it as an administrator on every machine but one of those that share the id; running it
# on all of them does no harm. The machine appears under a new id with its next scan, and reports everything anew.
#
# It follows what Microsoft documents for deployed images ("Client Requirements" of WSUS 3.0 SP2, TechNet dd939898): stop the
# service, clear SusClientId and SusClientIdValidation, start it, and let the agent ask for a new cookie. PingID and
# AccountDomainSid are cleared as well where they are present. Nothing else is touched: no updates are removed and no settings
# are changed.
#
# Weir prints this text and never runs it. It was not run on Windows by those who wrote it: try it on one machine first.

#Requires -RunAsAdministrator

$ErrorActionPreference = 'Stop'
$key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate'
$values = 'SusClientId', 'SusClientIdValidation', 'PingID', 'AccountDomainSid'

$before = (Get-ItemProperty -Path $key).PSObject.Properties['SusClientId']
if ($before) { Write-Output "id before: $($before.Value)" }

Stop-Service -Name wuauserv -Force
(Get-Service -Name wuauserv).WaitForStatus('Stopped', [TimeSpan]::FromMinutes(2))
try {
    foreach ($value in $values) {
        if ((Get-ItemProperty -Path $key).PSObject.Properties[$value]) {
            Remove-ItemProperty -Path $key -Name $value
            Write-Output "cleared $value"
        }
    }
}
finally {
    Start-Service -Name wuauserv
}

# A new authorization cookie and a scan: agents up to Windows 8.1 and Windows Server 2012 R2 take the first, later ones the second.
& "$env:SystemRoot\System32\wuauclt.exe" /resetauthorization /detectnow
(New-Object -ComObject Microsoft.Update.AutoUpdate).DetectNow()
Write-Output 'asked for a new cookie and a scan; the new id is made with it'
