//! Next steps that many codes share.

pub(super) const AGENT_LOG: &str = "Read the agent's log on the computer (Get-WindowsUpdateLog makes it) around the time of the failure: the lines \
     before it name the step that failed.";
pub(super) const CBS_LOG: &str = "Read C:\\Windows\\Logs\\CBS\\CBS.log on the computer: the first error of the session names the package and the file.";
pub(super) const FREE_SPACE: &str =
    "Free space on the system drive (10 GB for a cumulative update is safe), then let the computer scan again.";
pub(super) const MSI_LOG: &str = "Install the package by hand with a log (msiexec /p FILE /l*v LOG): the line with \"return value 3\" names the action \
     that failed.";
pub(super) const NETWORK: &str = "Check from the computer that the server's name resolves and its port answers (Test-NetConnection NAME -Port PORT), and \
     that no proxy or firewall stands between.";
pub(super) const NONE: &str = "Nothing to do.";
pub(super) const PROXY: &str =
    "Look at the proxy of the system account (netsh winhttp show proxy), and except the server's name from it.";
pub(super) const REDETECT: &str =
    "Let the computer scan again (usoclient StartScan, or wuauclt /detectnow before Windows 10).";
pub(super) const REPAIR_STORE: &str = "Repair the component store (DISM /Online /Cleanup-Image /RestoreHealth, with /Source where it finds nothing; then \
     sfc /scannow) and install again; if that does not help, an in-place upgrade does.";
pub(super) const REPORT: &str =
    "Tell the maintainers of the server, with the agent's log: an agent should not come to this with correct metadata.";
pub(super) const RESET_STORE: &str = "Stop the services wuauserv and bits, rename C:\\Windows\\SoftwareDistribution, start them and scan: the agent builds a \
     new store. The history shown on the computer is lost.";
pub(super) const RESTART: &str = "Restart the computer, then let it scan again.";
pub(super) const RETRY: &str = "Nothing for one computer: the agent tries again by itself. If many tell it at once, look at the server and the network.";
pub(super) const SERVER_LOG: &str =
    "Look at the server's log and at weir status for the time of the call; the request's number is in both logs.";
pub(super) const TIME_AND_ROOTS: &str = "Check date and time of the computer, and that it has the root certificates and the root updates of Windows (certutil \
     -generateSSTFromWU or the group policy that distributes them).";
