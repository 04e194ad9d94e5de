# Fetches one package by name with its own client, as the user configured it, into the folder
# $unpacked. Sourced.

# Leaves exactly one archive in $download.
fetch_archive() {                            # KIND PACKAGE
    rm -rf "$download" "$unpacked"
    mkdir -p "$download" "$unpacked"
    case $1 in
    pypi)         # a wheel: only its files are used, so the Python version is any fixed one
        "$venv/bin/pip" download -q --no-deps --only-binary=:all: --python-version 3.12 \
            --platform "manylinux_2_28_$arch" -d "$download" "$2" ;;
    pypi-source)
        "$venv/bin/pip" download -q --no-deps --no-binary "${2%%==*}" -d "$download" "$2" ;;
    npm)
        (cd "$download" && npm pack --silent "$2") ;;
    debian)
        fetch_debian "${2%%/*}" "${2#*/}" ;;
    *)
        echo "unknown kind of package: $1" >&2
        return 1 ;;
    esac
}

# A package of another Debian suite, to take a header out of; nothing of it is installed.
fetch_debian() {                             # PACKAGE SUITE
    local site list=$work/apt options
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security |
        head -n 1)
    [ -n "$site" ] || { echo "apt knows no package source" >&2; return 1; }
    mkdir -p "$list/lists/partial" "$list/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $2 main" \
        > "$list/sources"
    options=(-qq -o Dir::Etc::SourceList="$list/sources" -o Dir::Etc::SourceParts=/dev/null
             -o Dir::State::Lists="$list/lists" -o Dir::Cache="$list/cache"
             -o APT::Sandbox::User= -o Acquire::Languages=none)
    (cd "$download" && apt-get "${options[@]}" update && apt-get "${options[@]}" download "$1")
}

unpack() {                                   # MEMBER...
    local archive
    archive=$(find "$download" -type f -size +0 | head -n 1)
    case $archive in
    *.whl) python3 -m zipfile -e "$archive" "$unpacked" ;;
    *.tar.gz | *.tgz) tar -xzf "$archive" -C "$unpacked" --no-same-owner "$@" ;;
    *.deb) dpkg-deb -x "$archive" "$unpacked" ;;
    *) echo "no archive came" >&2; return 1 ;;
    esac
}
