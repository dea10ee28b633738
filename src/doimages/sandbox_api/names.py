"""What the seeded images are called: distributions, 1-Clicks, servers, imports, and names that try a client."""

from __future__ import annotations

# distribution, name, slug, min_disk_size
BASES = (
    ("Ubuntu", "24.04 (LTS) x64", "ubuntu-24-04-x64", 10),
    ("Ubuntu", "22.04 (LTS) x64", "ubuntu-22-04-x64", 7),
    ("Ubuntu", "25.10 x64", "ubuntu-25-10-x64", 10),
    ("Debian", "12 x64", "debian-12-x64", 7),
    ("Debian", "13 x64", "debian-13-x64", 7),
    ("Fedora", "42 x64", "fedora-42-x64", 15),
    ("Fedora", "43 x64", "fedora-43-x64", 15),
    ("CentOS", "9 Stream x64", "centos-stream-9-x64", 10),
    ("CentOS", "10 Stream x64", "centos-stream-10-x64", 10),
    ("AlmaLinux", "9 x64", "almalinux-9-x64", 10),
    ("AlmaLinux", "10 x64", "almalinux-10-x64", 10),
    ("Rocky Linux", "9 x64", "rockylinux-9-x64", 10),
    ("Rocky Linux", "10 x64", "rockylinux-10-x64", 10),
    ("Ubuntu", "AI/ML Ready H100x1", "gpu-h100x1-base", 720),
)
APPLICATIONS = (
    ("Ubuntu", "Docker on Ubuntu 24.04", "docker-24-04"),
    ("Ubuntu", "WordPress on Ubuntu 24.04", "wordpress-24-04"),
    ("Ubuntu", "LAMP on Ubuntu 22.04", "lamp-22-04"),
    ("Ubuntu", "Convoy 0.6.0 on Ubuntu 20.04", "convoy"),
    ("Ubuntu", "Ruby on Rails on Ubuntu 24.04", "ruby-on-rails"),
    ("Debian", "MySQL on Debian 12", "mysql-debian-12"),
)
SERVERS = (
    ("web-01", "Ubuntu", "nyc3", 25),
    ("web-02", "Ubuntu", "nyc3", 25),
    ("db-01", "Debian", "fra1", 80),
    ("db-02", "Debian", "ams3", 80),
    ("api-01", "Ubuntu", "sfo3", 50),
    ("worker-01", "Fedora", "tor1", 50),
    ("ci-runner", "Rocky Linux", "lon1", 160),
    ("mail", "CentOS", "sgp1", 20),
    ("golden-base", "Ubuntu", "blr1", 10),
    ("legacy", "Unknown OS", "syd1", 20),
)
CUSTOMS = (
    ("talos-v1.8-nyc3", "Unknown", "available"),
    ("flatcar-stable", "CoreOS", "available"),
    ("arch-2026.10", "Arch Linux", "available"),
    ("freebsd-14.2-ufs", "FreeBSD", "pending"),
    ("gentoo-openrc", "Gentoo", "NEW"),
    ("nixos-25.11", "Unknown", "new"),  # the API has served both spellings (openapi issue 517)
)
# Names that must survive a page of HTML, a terminal, a spreadsheet and a sort.
ODD_NAMES = (
    '<img src=x onerror="window.pwned=1">',
    "\x1b[31mred\x1b[0m alert",
    "invoice\u202egnp.exe",
    "=1+1",
    "@SUM(A1:A9)",
    "\U0001f5c4\ufe0f nightly \U0001f680",
    'say "hi" & <b>it\'s</b> 50%',
    "'; DROP TABLE images; --",
    "trailing spaces   ",
    "two\nlines\tand a tab",
    "скриншот-База данных",
    "long-" + "0123456789" * 30,
    "web-01-2026-10-25",
    "web-01-2026-10-25",
)
TAG_SETS: tuple[list[str] | None, ...] = (
    [], ["prod"], ["staging"], ["prod", "web"], [], ["env:prod", "db"], None, ["keep"], [], ["k8s", "golden-image"],
)  # fmt: skip
