"""Image files from strangers: what is read of each format, and what is refused by name before memory is taken."""

import gzip
import struct
import zlib

import nibabel
import numpy as np
import pytest
from PIL import Image

from mrbench.data.archive import FREE_BYTES
from mrbench.data.image_file import open_image
from mrbench.errors import DataError

GREY = np.arange(72, dtype=np.uint8).reshape(8, 9)
COLOURS = np.stack([GREY, GREY + 1, GREY + 2], axis=-1)
CLEAR = np.dstack([COLOURS, np.full((8, 9), 255, np.uint8)])


def read(path, what="image"):
    with open_image(path, path.name) as file:
        if what == "labels":
            return file.mask().labels
        values = file.image()
        assert values.shape == file.shape
        return values


def saved(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


def png(path, width, height, bits=8, colour=0, rows=b""):
    """A PNG written by hand."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        (GREY, "png"),
        (GREY, "TIF"),
        (COLOURS, "png"),
        (COLOURS, "tiff"),
        (GREY.astype(np.uint16) * 900, "png"),
        (GREY.astype(np.uint16) * 900, "tif"),
        (GREY.astype(np.float32) / 7, "tif"),
        (GREY > 40, "png"),
    ],
)
def test_pictures_are_read_exactly(tmp_path, values, ending):
    path = saved(tmp_path / f"a.{ending}", values)
    found = read(path)
    assert np.array_equal(found, values)
    assert found.dtype.kind == values.dtype.kind


@pytest.mark.parametrize(("values", "ending"), [(GREY, "gif"), (GREY, "pgm"), (COLOURS, "ppm"), (GREY > 40, "pbm")])
def test_pictures_of_old_formats_are_read_exactly(tmp_path, values, ending):
    found = read(saved(tmp_path / f"a.{ending}", values))
    np.testing.assert_array_equal(found[..., 0] if found.ndim > values.ndim else found, values)


def test_a_gif_of_two_colours_is_a_binary_mask_whatever_its_indices(tmp_path):
    for dark in (0, 1):
        image = Image.fromarray(np.where(GREY > 40, 1 - dark, dark).astype(np.uint8), mode="P")
        image.putpalette([0, 0, 0, 255, 255, 255] if dark == 0 else [255, 255, 255, 0, 0, 0])
        image.save(tmp_path / "a.gif")
        np.testing.assert_array_equal(read(tmp_path / "a.gif", "labels"), GREY > 40)


def test_several_pictures_in_a_gif_are_refused(tmp_path):
    frames = [Image.fromarray(GREY + n) for n in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="holds 3 pictures"):
        read(tmp_path / "a.gif")


@pytest.mark.parametrize(("ending", "written"), [("gif", "PNG"), ("ppm", "PNG"), ("png", "GIF"), ("tif", "PPM")])
def test_the_ending_says_which_of_the_old_formats_it_is(tmp_path, ending, written):
    Image.fromarray(GREY).save(tmp_path / f"a.{ending}", format=written)
    with pytest.raises(DataError, match=r"is not a whole .*file"):
        read(tmp_path / f"a.{ending}")


def test_gzipped_pictures_are_read_exactly(tmp_path):
    path = saved(tmp_path / "a.ppm", COLOURS)
    (tmp_path / "b.PPM.GZ").write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read(tmp_path / "b.PPM.GZ"), COLOURS)


def test_a_gzipped_picture_that_is_damaged_or_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.ppm.gz"
    packed = gzip.compress(saved(tmp_path / "a.ppm", COLOURS).read_bytes())
    for content in (packed[:-9], b"P6 text", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a.ppm.gz is not a whole"):
            read(path)
    path.write_bytes(gzip.compress(b"P5 9000 9000 255\n" + bytes(9000 * 9000)))
    with pytest.raises(DataError, match=r"is not a whole gzipped file\n.*unpacks to more than 67108864 bytes"):
        read(path)


def test_opaque_alpha_is_dropped_and_transparent_pixels_are_refused(tmp_path):
    assert np.array_equal(read(saved(tmp_path / "a.png", CLEAR)), COLOURS)
    holed = CLEAR.copy()
    holed[2, 3, 3] = 254
    with pytest.raises(DataError, match=r"b\.png has transparent pixels"):
        read(saved(tmp_path / "b.png", holed))


def test_a_palette_is_colours_of_an_image_and_labels_of_a_mask(tmp_path):
    image = Image.fromarray(np.eye(8, 9, dtype=np.uint8) * 2)
    image.putpalette([0, 0, 0, 255, 0, 0, 10, 200, 30] + [0] * 759)
    image.save(tmp_path / "a.png")
    assert read(tmp_path / "a.png")[0, 0].tolist() == [10, 200, 30]
    assert np.array_equal(read(tmp_path / "a.png", "labels"), np.eye(8, 9) * 2)


def test_grey_that_is_stored_in_colours_is_a_mask_and_colours_are_none(tmp_path):
    assert np.array_equal(read(saved(tmp_path / "a.png", np.dstack([GREY] * 3)), "labels"), GREY)
    with pytest.raises(DataError, match=r"b\.png is a mask in colours"):
        read(saved(tmp_path / "b.png", COLOURS), "labels")


@pytest.mark.parametrize(
    ("dark", "bright"),
    [((0, 0, 0), (255, 0, 0)), ((0, 0, 0), (0, 0, 255)), ((20, 30, 90), (250, 250, 240)), ((0, 80, 0), (255, 255, 0)),
     ((90, 0, 90), (0, 255, 0))],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_colours_the_darker_one_is_background_whatever_its_index(tmp_path, dark, bright, swapped):
    marked = np.eye(8, 9, dtype=np.uint8)
    colours = np.array([dark, bright], np.uint8)
    saved(tmp_path / "rgb.png", colours[marked])
    indexed = Image.fromarray(marked ^ np.uint8(swapped))
    indexed.putpalette(colours[:: -1 if swapped else 1].reshape(-1).tolist())
    indexed.save(tmp_path / "palette.png")
    for name in ("rgb.png", "palette.png"):
        assert np.array_equal(read(tmp_path / name, "labels"), marked)
    with open_image(tmp_path / "rgb.png", "a") as file:
        assert file.mask().colour == bright


def test_white_is_what_a_tiff_says_that_it_is(tmp_path):
    for values in (GREY > 40, GREY, GREY.astype(np.uint16) * 900):
        path = saved(tmp_path / "a.tif", values, tiffinfo={262: 0})
        # Of sixteen bits Pillow turns nothing, neither here nor when it writes.
        expected = 65535 - values if values.dtype == np.uint16 else values
        assert np.array_equal(read(path), expected)


def test_several_pictures_in_one_file_are_refused(tmp_path):
    more = [Image.fromarray(GREY + np.uint8(k)) for k in (1, 2)]
    for ending in ("png", "tif"):
        path = saved(tmp_path / f"a.{ending}", GREY, save_all=True, append_images=more)
        with pytest.raises(DataError, match="holds 3 pictures"):
            read(path)


def test_pictures_that_a_viewer_turns_are_refused(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for ending in ("jpg", "tif", "png"):
        with pytest.raises(DataError, match=r"is stored turned \(EXIF orientation 6\)"):
            read(saved(tmp_path / f"a.{ending}", GREY, exif=exif))


def test_colours_of_sixteen_bits_are_not_cut(tmp_path):
    path = png(tmp_path / "a.png", 3, 2, bits=16, colour=2, rows=b"".join(b"\0" + b"\1\2" * 9 for _ in range(2)))
    with pytest.raises(DataError, match="has 16 bits per colour"):
        read(path)


def test_ink_colours_are_refused(tmp_path):
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="has colours of an unknown kind"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("side", [60000, 9000])
def test_a_picture_that_unpacks_to_more_than_its_size_can_hold_is_refused(tmp_path, side):
    with pytest.raises(DataError, match=r"a\.png (is not a whole|declares more than its size can hold)"):
        read(png(tmp_path / "a.png", side, side, rows=b"\0" * 1000))


@pytest.mark.parametrize("width", [178_956_971, 180_000_000, 200_000_000, 300_000_000, 2**30])
def test_a_whole_picture_of_too_many_pixels_is_told_the_limit(tmp_path, width):
    """Not damaged: what fills the file could hold as many."""
    path = png(tmp_path / "a.png", width, 1, rows=np.random.default_rng(0).bytes(width // 8000))
    with pytest.raises(DataError, match=r"a\.png is too large") as caught:
        read(path)
    assert (caught.value.expected, caught.value.found) == ("at most 178,956,970 pixels", f"{width:,}")


def test_a_picture_at_the_limit_is_opened(tmp_path):
    path = png(tmp_path / "a.png", 178_956_970, 1, rows=np.random.default_rng(0).bytes(200_000))
    with open_image(path, "a") as file:
        assert file.shape == (1, 178_956_970)


def test_an_empty_picture_is_read_however_well_it_is_packed(tmp_path):
    side = 9000
    Image.new("L", (side, side)).save(tmp_path / "a.png", compress_level=9)
    with open_image(tmp_path / "a.png", "a") as file:
        assert file.shape == (side, side)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png is not a whole PNG, TIFF or JPEG file"):
        read(tmp_path / "a.png")


def test_a_picture_that_is_cut_short_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", GREY)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="not a whole PNG"):
        read(path)


def test_jpeg_says_that_it_keeps_no_labels(tmp_path):
    saved(tmp_path / "a.png", GREY, format="JPEG")
    with open_image(tmp_path / "a.png", "a") as file:
        assert file.lossy


# --- NumPy


@pytest.mark.parametrize("dtype", ["<f4", ">u2", "bool", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_exactly(tmp_path, dtype, order):
    values = np.array(GREY, dtype, order=order)
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", any=values)
    for name in ("a.npy", "a.npz"):
        assert np.array_equal(read(tmp_path / name), values)


def test_an_archive_holds_one_array(tmp_path):
    np.savez(tmp_path / "a.npz", image=GREY, mask=GREY)
    with pytest.raises(DataError, match="holds 2 arrays") as caught:
        read(tmp_path / "a.npz")
    assert caught.value.found == "image.npy, mask.npy"


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy has a wrong type"):
        read(tmp_path / "a.npy")


def test_an_array_that_declares_more_than_it_holds_is_refused(tmp_path):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 1000000), }".ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"123")
    with pytest.raises(DataError, match="declares more than it holds"):
        read(tmp_path / "a.npy")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.zeros(FREE_BYTES + 1, np.uint8))
    with pytest.raises(DataError, match="declares more than its size can hold"):
        read(tmp_path / "a.npz")


def test_more_is_allowed_where_the_caller_knows_why(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.zeros(FREE_BYTES + 1, np.uint8))
    with open_image(tmp_path / "a.npz", "a", allowed=2 * FREE_BYTES) as file:
        assert file.shape == (FREE_BYTES + 1,)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_what_is_no_array_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(DataError, match="is not a whole NumPy file"):
        read(tmp_path / name)


# --- NIfTI


def test_nifti_comes_last_axis_first_with_its_spacing_and_directions(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    made = nibabel.Nifti1Image(values.T, np.diag([-0.5, -0.6, 3, 1]))
    made.header.set_xyzt_units("mm")
    nibabel.save(made, tmp_path / "a.nii.gz")
    assert np.array_equal(read(tmp_path / "a.nii.gz"), values)
    with open_image(tmp_path / "a.nii.gz", "a") as file:
        assert np.allclose(file.spacing, (3, 0.6, 0.5))
        assert file.geometry.codes == "LPS"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_nifti_of_absurd_size_is_refused(tmp_path, pack):
    content = bytearray(nibabel.Nifti1Image(np.zeros((9, 8, 1), np.uint8), np.eye(4)).to_bytes())
    content[40:56] = struct.pack("<8h", 3, 30000, 30000, 30000, 1, 1, 1, 1)
    path = tmp_path / ("a.nii" if pack is bytes else "a.nii.gz")
    path.write_bytes(pack(bytes(content)))
    with pytest.raises(DataError, match="declares more than its size can hold"):
        read(path)
