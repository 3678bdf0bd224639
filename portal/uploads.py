"""How much somebody may upload at once."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers

BODY_LIMIT = (
    30 * 1024 * 1024
)  # the largest file and the longest text together; the forms set limits of their own


class BoundedUploadHandler(FileUploadHandler):
    """Stands before Django's own: files of a request that is too large are read past and kept nowhere.

    What arrives is a file without content but with its size, so that the form can say what is wrong.
    """

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: str, encoding: str | None = None
    ) -> None:  # Any: as Django hands them on
        self.is_too_large = content_length > BODY_LIMIT

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.is_too_large:
            raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None if self.is_too_large else raw_data

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if not self.is_too_large:
            return None
        return UploadedFile(BytesIO(), self.file_name, self.content_type, file_size, self.charset)
