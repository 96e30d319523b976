"""Closed packages take part by the files they write and read: one adapter.yaml per package, no code.

layout (adapter.yaml, compiled) ─► reading (bytes to rows, each with its place) ─► checking (what is wrong, row by row)
                                       │                                        └► intake (good rows go on, once; bad ones wait)
                                       └ lines ◄ fixed · delimited    cells ◄ workbook    elements ◄ xmlrows    objects ◄ records
writing (rows to bytes, the inverse) · proposing (a layout from a sample) · drops (a folder that is watched) · ways (where no
folder is: SFTP, views, answers) · participation (what a row becomes at the hub) · serving (deliveries to files) · posts (one
adapter at work); integrator.taking_part hands in

A file is never believed: its rows are values only after the layout said so, and what is wrong is named by place, field and
reason, never by what stands there.
"""
