"""The user's folder: git state, files to find and to attach.

``Folder`` in ``folder.py`` implements the port ``Workspace``.
"""
