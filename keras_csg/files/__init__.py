"""Files and folders: written whole or not at all, and read if they are any."""

from keras_csg.files.disk_errors import WAYS_OUT as WAYS_OUT
from keras_csg.files.disk_errors import cannot_read as cannot_read
from keras_csg.files.disk_errors import cannot_write as cannot_write
from keras_csg.files.disk_errors import check_folder as check_folder
from keras_csg.files.disk_errors import disk_error as disk_error
from keras_csg.files.disk_errors import what_to_do as what_to_do
from keras_csg.files.disk_errors import why_unread as why_unread
from keras_csg.files.hidden_parts import PARTS as PARTS
from keras_csg.files.hidden_parts import hidden_part as hidden_part
from keras_csg.files.hidden_parts import remove as remove
from keras_csg.files.hidden_parts import sweep as sweep
from keras_csg.files.links import check_links as check_links
from keras_csg.files.links import leads_into as leads_into
from keras_csg.files.regular_files import at_home as at_home
from keras_csg.files.regular_files import check_regular as check_regular
from keras_csg.files.regular_files import (
    check_regular_files as check_regular_files,
)
from keras_csg.files.regular_files import sha256_of as sha256_of
from keras_csg.files.whole_files import check_writable as check_writable
from keras_csg.files.whole_files import files_at as files_at
from keras_csg.files.whole_files import flush_to_disk as flush_to_disk
from keras_csg.files.whole_files import free_path as free_path
from keras_csg.files.whole_files import json_text as json_text
from keras_csg.files.whole_files import naming as naming
from keras_csg.files.whole_files import new_folders as new_folders
from keras_csg.files.whole_files import recover as recover
from keras_csg.files.whole_files import replace_all as replace_all
from keras_csg.files.whole_files import whole_file as whole_file
from keras_csg.files.whole_files import write_json as write_json
