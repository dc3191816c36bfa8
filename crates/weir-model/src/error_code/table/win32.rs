//! Errors of Windows itself and of Windows Installer: facility 0x007, whose codes are Win32 errors.

use super::{
    ErrorCode,
    advice::{
        AGENT_LOG, CBS_LOG, FREE_SPACE, MSI_LOG, NETWORK, NONE, REDETECT, REPAIR_STORE, RESET_STORE, RESTART, RETRY,
    },
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Win32;
    0x8007_0001 ERROR_INVALID_FUNCTION "A function that does not exist was asked for.",
        "An installer with a wrong command line, or the exit code 1 of a program.", AGENT_LOG;
    0x8007_0002 ERROR_FILE_NOT_FOUND "A file was not found.",
        "The agent's folders were emptied, or a component is missing.", RESET_STORE;
    0x8007_0003 ERROR_PATH_NOT_FOUND "A folder was not found.",
        "The agent's folders were emptied, or a component is missing.", RESET_STORE;
    0x8007_0005 E_ACCESSDENIED "Access was denied.",
        "Permissions of files or registry keys were changed, or security software blocks the installer.",
        "Look in CBS.log or the agent's log for the file or key; give SYSTEM and TrustedInstaller their rights back.";
    0x8007_0006 E_HANDLE "A handle is not valid.",
        "A mistake of a program, or security software that interferes.", RETRY;
    0x8007_0008 ERROR_NOT_ENOUGH_MEMORY "There is too little memory for the command.",
        "The computer is short of memory.", "Free memory; restart the computer.";
    0x8007_000B ERROR_BAD_FORMAT "Something has the wrong format.",
        "A program or library of another architecture.", AGENT_LOG;
    0x8007_000D ERROR_INVALID_DATA "Data are not valid.",
        "Damaged files or registry values of the agent or of the component store.", REPAIR_STORE;
    0x8007_000E E_OUTOFMEMORY "There was not enough memory.",
        "A scan over very many updates on a small computer, above all the 32-bit agent.",
        "Decline what is superseded (weir cleanup run); give the computer more memory.";
    0x8007_0011 ERROR_NOT_SAME_DEVICE "A file cannot be moved to another drive.",
        "The agent's or the profile's folders were moved to another drive by a link.", "Put the folders back onto the system drive.";
    0x8007_0013 ERROR_WRITE_PROTECT "The medium is write-protected.",
        "A write filter or a protected disk.", "Switch the write filter off for updates.";
    0x8007_0015 ERROR_NOT_READY "The device is not ready.",
        "A drive without medium.", RETRY;
    0x8007_0017 ERROR_CRC "Data could not be read: the checksum is wrong.",
        "A failing disk.", "Check the disk (chkdsk, S.M.A.R.T.).";
    0x8007_001D ERROR_WRITE_FAULT "The disk could not be written.",
        "A failing or detached disk.", "Check the disk (chkdsk, S.M.A.R.T.).";
    0x8007_001F ERROR_GEN_FAILURE "A device does not work.",
        "A driver or device failure.", "Look at the devices of the computer in the device manager.";
    0x8007_0020 ERROR_SHARING_VIOLATION "Another program uses the file.",
        "Security or backup software, or an application that runs.", "Except C:\\Windows\\SoftwareDistribution and C:\\Windows\\servicing from real-time scanning; restart.";
    0x8007_0021 ERROR_LOCK_VIOLATION "Another program has locked a part of the file.",
        "Security or backup software.", RESTART;
    0x8007_0026 ERROR_HANDLE_EOF "The end of the file came too early.",
        "A file that was cut.", RESET_STORE;
    0x8007_0032 ERROR_NOT_SUPPORTED "The request is not supported.",
        "A function that this version of Windows does not have.", AGENT_LOG;
    0x8007_0035 ERROR_BAD_NETPATH "The network path was not found.",
        "A share of an installation source is not reachable.", NETWORK;
    0x8007_0037 ERROR_DEV_NOT_EXIST "The device or share is not there any more.",
        "A share went away.", NETWORK;
    0x8007_0040 ERROR_NETNAME_DELETED "The connection to the share is gone.",
        "A network break.", NETWORK;
    0x8007_0043 ERROR_BAD_NET_NAME "The name of the share was not found.",
        "A share of an installation source does not exist.", "Check the path of the source.";
    0x8007_0050 ERROR_FILE_EXISTS "The file is there already.",
        "A leftover of an earlier attempt.", RESET_STORE;
    0x8007_0057 E_INVALIDARG "A parameter is not valid.",
        "A damaged component store or agent store, or a program that calls them wrong.", CBS_LOG;
    0x8007_0070 ERROR_DISK_FULL "The disk is full.",
        "Too little space on the system drive.", FREE_SPACE;
    0x8007_0078 ERROR_CALL_NOT_IMPLEMENTED "The function is not there on this system.",
        "An update for another version of Windows.", AGENT_LOG;
    0x8007_007A ERROR_INSUFFICIENT_BUFFER "The room for data was too small.",
        "A mistake of a program.", AGENT_LOG;
    0x8007_007B ERROR_INVALID_NAME "A name or path is not valid.",
        "A wrong path in an environment variable or setting, such as a source path.", "Check TEMP, PATH and the source paths of the computer.";
    0x8007_007E ERROR_MOD_NOT_FOUND "A library was not found.",
        "A file of Windows or of a product is missing.", REPAIR_STORE;
    0x8007_007F ERROR_PROC_NOT_FOUND "A function was not found in a library.",
        "Libraries of different versions.", REPAIR_STORE;
    0x8007_0091 ERROR_DIR_NOT_EMPTY "A folder is not empty.",
        "Leftovers in the agent's folders.", RESET_STORE;
    0x8007_00B7 ERROR_ALREADY_EXISTS "It is there already.",
        "A leftover of an earlier attempt.", RESTART;
    0x8007_00C1 ERROR_BAD_EXE_FORMAT "The program is not valid for this system.",
        "Another architecture, or a file that was cut.", "Check the content (weir content verify) and the architecture of the update.";
    0x8007_00E8 ERROR_NO_DATA "The other end of a pipe is closed.",
        "The process that installs ended.", RETRY;
    0x8007_0103 ERROR_NO_MORE_ITEMS "There is nothing more.",
        "The driver is installed already, or an inner end of a list was reported as an error.", REDETECT;
    0x8007_012F ERROR_DELETE_PENDING "The file is about to be deleted.",
        "Another program still holds it.", RESTART;
    0x8007_0241 ERROR_INVALID_IMAGE_HASH "The signature of a file cannot be verified.",
        "Root certificates or SHA-2 support are missing, or the file was changed.",
        "Bring the root certificates and the SHA-2 updates of the system up to date.";
    0x8007_0246 ERROR_ILLEGAL_CHARACTER "A character is not allowed.",
        "Damage in a manifest.", REPAIR_STORE;
    0x8007_02E4 ERROR_ELEVATION_REQUIRED "Administrator rights are needed.",
        "A program ran without them.", "Run it elevated.";
    0x8007_03E3 ERROR_OPERATION_ABORTED "The operation was broken off.",
        "A thread or program ended.", RETRY;
    0x8007_03E6 ERROR_NOACCESS "Memory could not be accessed.",
        "A failure of a program or of memory.", "Test the memory of the computer if it happens again.";
    0x8007_03EC ERROR_INVALID_FLAGS "Flags are not valid.",
        "A mistake of a program.", AGENT_LOG;
    0x8007_03EE ERROR_FILE_INVALID "The volume of an open file was changed.",
        "A removable or virtual disk was replaced.", RETRY;
    0x8007_03F1 ERROR_BADDB "The registry is damaged.",
        "Keys that the agent or servicing need cannot be read.", REPAIR_STORE;
    0x8007_03FD ERROR_CHILD_MUST_BE_VOLATILE "A lasting registry key was to be made below one that is not.",
        "A mistake of an installer.", CBS_LOG;
    0x8007_0420 ERROR_SERVICE_ALREADY_RUNNING "The service runs already.",
        "Two starts at once.", NONE;
    0x8007_0422 ERROR_SERVICE_DISABLED "A service that is needed is disabled.",
        "wuauserv, BITS, cryptsvc or TrustedInstaller is set to disabled.", "Set these services back to their start types.";
    0x8007_0424 ERROR_SERVICE_DOES_NOT_EXIST "A service that is needed does not exist.",
        "Its registration is gone, often after malware or a cleaning tool.", "Restore the service's registry key from a computer of the same version, or do an in-place upgrade.";
    0x8007_0426 ERROR_SERVICE_NOT_ACTIVE "The service was not started.",
        "It ended or was stopped.", RESTART;
    0x8007_042B ERROR_PROCESS_ABORTED "A process ended unexpectedly.",
        "The installer crashed.", "Look in the Application event log of the computer for the program that crashed.";
    0x8007_042C ERROR_SERVICE_DEPENDENCY_FAIL "A service on which this one depends does not start.",
        "Such a service is disabled.", "Set the services that it needs back to their start types.";
    0x8007_0430 ERROR_SERVICE_MARKED_FOR_DELETE "The service is about to be removed.",
        "A restart is due.", RESTART;
    0x8007_045B ERROR_SHUTDOWN_IN_PROGRESS "The computer is shutting down.",
        "It was switched off or restarted during the operation.", RETRY;
    0x8007_045D ERROR_IO_DEVICE "The disk failed to read or write.",
        "A failing disk or cable.", "Check the disk (chkdsk, S.M.A.R.T.).";
    0x8007_0490 ERROR_NOT_FOUND "An element was not found.",
        "The component store or the agent's store lacks something that it refers to.", REPAIR_STORE;
    0x8007_04C7 ERROR_CANCELLED "The user cancelled it.",
        "Somebody cancelled, or a dialogue was closed.", RETRY;
    0x8007_04D6 ERROR_CONNECTION_COUNT_LIMIT "There are too many connections.",
        "A limit of the computer or share.", RETRY;
    0x8007_04DC ERROR_NOT_AUTHENTICATED "The user is not signed in.",
        "A share or service wants credentials.", NETWORK;
    0x8007_04EC ERROR_ACCESS_DISABLED_BY_POLICY "A policy forbids running the program.",
        "Software restriction policies or AppLocker.", "Allow the installer in that policy.";
    0x8007_0522 ERROR_PRIVILEGE_NOT_HELD "A right is missing.",
        "The account lacks a privilege that it normally has.", "Look at the user rights assignment policies of the computer.";
    0x8007_054F ERROR_INTERNAL_ERROR "Windows failed for a reason inside itself.",
        "Anything.", CBS_LOG;
    0x8007_0570 ERROR_FILE_CORRUPT "A file or folder is damaged.",
        "The file system is damaged.", "Run chkdsk /f on the computer.";
    0x8007_0571 ERROR_DISK_CORRUPT "The structure of the disk is damaged.",
        "The file system is damaged.", "Run chkdsk /f on the computer.";
    0x8007_05AA ERROR_NO_SYSTEM_RESOURCES "The system's resources are used up.",
        "Too little memory, or a program that leaks.", "Restart the computer; look for a program that leaks.";
    0x8007_05B4 ERROR_TIMEOUT "It took too long.",
        "A slow computer, network or service.", RETRY;
    0x8007_05B9 ERROR_XML_PARSE_ERROR "XML could not be read.",
        "A damaged manifest in the component store.", REPAIR_STORE;
    0x8007_0641 ERROR_INSTALL_SERVICE_FAILURE "Windows Installer cannot be reached.",
        "The service msiserver is disabled or damaged.", "Set msiserver to manual; register it again (msiexec /unregister, msiexec /regserver).";
    0x8007_0642 ERROR_INSTALL_USEREXIT "The installation was cancelled.",
        "A user cancelled it.", RETRY;
    0x8007_0643 ERROR_INSTALL_FAILURE "The installation failed (Windows Installer 1603, and many other installers).",
        "Anything inside the installer: a file in use, a custom action, no rights. With updates of the recovery environment: its \
         partition is too small.", MSI_LOG;
    0x8007_0644 ERROR_INSTALL_SUSPEND "The installation is suspended.",
        "It waits for a restart or for another step.", RESTART;
    0x8007_0645 ERROR_UNKNOWN_PRODUCT "The product is not installed.",
        "An update for a product that was removed.", REDETECT;
    0x8007_0646 ERROR_UNKNOWN_FEATURE "The feature is not known to the product.",
        "The installer's data of the product are damaged.", "Repair the product.";
    0x8007_0647 ERROR_UNKNOWN_COMPONENT "The component is not known to the product.",
        "The installer's data of the product are damaged.", "Repair the product.";
    0x8007_0648 ERROR_UNKNOWN_PROPERTY "The property is not known.",
        "A wrong command line.", "Correct the command line of what was published.";
    0x8007_064A ERROR_BAD_CONFIGURATION "The installer's data of the product are damaged.",
        "Registry entries of Windows Installer are missing.", "Repair or remove the product, then install again.";
    0x8007_064B ERROR_INDEX_ABSENT "A component's key is missing.",
        "The installer's data of the product are damaged.", "Repair the product.";
    0x8007_064C ERROR_INSTALL_SOURCE_ABSENT "The source of the installation is not there.",
        "The update needs the product's original source, or C:\\Windows\\Installer was cleaned.", "Give the computer access to the source of the product.";
    0x8007_064D ERROR_INSTALL_PACKAGE_VERSION "The package needs a newer Windows Installer.",
        "An old Windows Installer.", "Install a newer Windows Installer.";
    0x8007_0652 ERROR_INSTALL_ALREADY_RUNNING "Another installation is under way (Windows Installer 1618).",
        "Windows Installer does one thing at a time.", RETRY;
    0x8007_0653 ERROR_INSTALL_PACKAGE_OPEN_FAILED "The package could not be opened.",
        "The file is missing or not accessible.", "Check the content of the update (weir content verify).";
    0x8007_0654 ERROR_INSTALL_PACKAGE_INVALID "The package is not valid.",
        "The file is damaged.", "Check the content of the update (weir content verify).";
    0x8007_0656 ERROR_INSTALL_LOG_FAILURE "The log could not be opened.",
        "The folder of the log does not exist or cannot be written.", "Correct the path of the log in the command line.";
    0x8007_0657 ERROR_INSTALL_LANGUAGE_UNSUPPORTED "The language is not supported.",
        "A package for another language.", "Use the package for the language of the product.";
    0x8007_0658 ERROR_INSTALL_TRANSFORM_FAILURE "A transform could not be applied.",
        "The transform is missing or does not fit.", MSI_LOG;
    0x8007_0659 ERROR_INSTALL_PACKAGE_REJECTED "A policy forbids the package.",
        "Software restriction policies, or a policy of Windows Installer.", "Allow the package in that policy.";
    0x8007_0661 ERROR_INSTALL_PLATFORM_UNSUPPORTED "The package is for another kind of processor.",
        "Another architecture.", "Deploy the package for that architecture.";
    0x8007_0663 ERROR_PATCH_PACKAGE_OPEN_FAILED "The patch could not be opened.",
        "The file is missing or not accessible.", "Check the content of the update (weir content verify).";
    0x8007_0664 ERROR_PATCH_PACKAGE_INVALID "The patch is not valid.",
        "The file is damaged.", "Check the content of the update (weir content verify).";
    0x8007_0665 ERROR_PATCH_PACKAGE_UNSUPPORTED "The patch needs a newer Windows Installer.",
        "An old Windows Installer.", "Install a newer Windows Installer.";
    0x8007_0666 ERROR_PRODUCT_VERSION "Another version of the product is installed.",
        "It has to be removed first.", "Remove the other version.";
    0x8007_0667 ERROR_INVALID_COMMAND_LINE "The command line is not valid.",
        "A mistake in what was published.", "Correct the command line of what was published.";
    0x8007_0668 ERROR_INSTALL_REMOTE_DISALLOWED "Nothing may be installed in a remote session.",
        "A policy of Windows Installer.", "Allow it in that policy, or install at the console.";
    0x8007_0669 ERROR_SUCCESS_REBOOT_INITIATED "It is installed, and the restart has begun (Windows Installer 1641).",
        "The installer restarts the computer.", NONE;
    0x8007_066A ERROR_PATCH_TARGET_NOT_FOUND "The product that the patch is for is not there, or in another version.",
        "The product was removed, or lacks an earlier patch.", REDETECT;
    0x8007_066B ERROR_PATCH_PACKAGE_REJECTED "A policy forbids the patch.",
        "A policy of Windows Installer.", "Allow the patch in that policy.";
    0x8007_066C ERROR_INSTALL_TRANSFORM_REJECTED "A policy forbids the transform.",
        "A policy of Windows Installer.", "Allow the transform in that policy.";
    0x8007_066E ERROR_PATCH_REMOVAL_UNSUPPORTED "The patch cannot be removed.",
        "The patch was made so.", "Remove the product, or leave the patch.";
    0x8007_066F ERROR_UNKNOWN_PATCH "The patch is not applied to the product.",
        "It was removed already.", REDETECT;
    0x8007_06BA RPC_S_SERVER_UNAVAILABLE "The service that was called is not there.",
        "A service ended or a firewall blocks the call.", RESTART;
    0x8007_06BE RPC_S_CALL_FAILED "The call to another process failed.",
        "That process ended during the call.", RETRY;
    0x8007_06D9 EPT_S_NOT_REGISTERED "The service has no open endpoint.",
        "Often the Windows firewall service is stopped.", "Start the service MpsSvc (Windows firewall).";
    0x8007_0718 ERROR_NOT_ENOUGH_QUOTA "The quota is used up.",
        "Too little memory for the system.", RESTART;
    0x8007_0BC2 ERROR_SUCCESS_REBOOT_REQUIRED "It is installed and takes effect after a restart (Windows Installer 3010).",
        "Files in use are replaced at the next start.", RESTART;
    0x8007_0BC9 ERROR_FAIL_REBOOT_REQUIRED "It failed; a restart is needed to roll it back.",
        "A step failed in the middle.", RESTART;
    0x8007_1126 ERROR_NOT_A_REPARSE_POINT "A link in the file system is none.",
        "A damaged link below the folders of Windows.", "Run chkdsk /f on the computer.";
    0x8007_36B1 ERROR_SXS_CANT_GEN_ACTCTX "A program cannot start: its side-by-side configuration is wrong.",
        "A runtime library that the installer needs is missing.", "Install the runtime (Visual C++) that the installer needs.";
    0x8007_36B3 ERROR_SXS_ASSEMBLY_NOT_FOUND "An assembly that is referred to is not installed.",
        "The component store is incomplete.", REPAIR_STORE;
    0x8007_36CC ERROR_SXS_FILE_HASH_MISMATCH "A file of a component does not have the digest of its manifest.",
        "The file was changed or is damaged.", REPAIR_STORE;
    0x8007_3701 ERROR_SXS_ASSEMBLY_MISSING "An assembly that is referred to is missing.",
        "The component store is incomplete: an earlier update or a language pack is only half there.", REPAIR_STORE;
    0x8007_370A ERROR_SXS_INVALID_IDENTITY_ATTRIBUTE_VALUE "A value in the identity of a component is not valid.",
        "Damage in a manifest or in the registry of components.", REPAIR_STORE;
    0x8007_370B ERROR_SXS_INVALID_IDENTITY_ATTRIBUTE_NAME "A name in the identity of a component is not valid.",
        "Damage in a manifest or in the registry of components.", REPAIR_STORE;
    0x8007_370D ERROR_SXS_IDENTITY_PARSE_ERROR "The identity of a component cannot be read.",
        "Damage in a manifest or in the registry of components.", REPAIR_STORE;
    0x8007_3712 ERROR_SXS_COMPONENT_STORE_CORRUPT "The component store is damaged.",
        "Files or registry entries of components are missing.", REPAIR_STORE;
    0x8007_3713 ERROR_ADVANCED_INSTALLER_FAILED "A step of an advanced installer failed.",
        "A driver, service or other step of a component.", CBS_LOG;
    0x8007_371B ERROR_SXS_TRANSACTION_CLOSURE_INCOMPLETE "Members of the transaction are missing.",
        "The component store is incomplete.", REPAIR_STORE;
};
