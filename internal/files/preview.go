package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	_ "image/gif" // a picture of a GIF is its first frame
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decodes
)

const (
	maxPixels  = 25_000_000 // 100 MB while it is decoded
	maxPreview = 1600       // the longer side
)

var errNoPicture = errors.New("this is no picture that can be shown")

// preview writes a picture anew, at most 1600 pixels long. Only pixels go over: no place, camera or
// owner that the file may name, and nothing that hides in it.
func preview(r io.ReadSeeker) (data []byte, err error) {
	conf, format, err := image.DecodeConfig(r)
	if err != nil || conf.Width < 1 || conf.Height < 1 || conf.Width*conf.Height > maxPixels || conf.Width > 30_000 || conf.Height > 30_000 {
		return nil, errNoPicture // a small file may claim a picture that fills the memory
	}
	turn := 1
	if format == "jpeg" {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		turn = orientation(io.LimitReader(r, 128<<10))
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(r)
	if err != nil {
		return nil, errNoPicture
	}
	img = turned(smaller(img), turn)
	var out bytes.Buffer
	if format == "jpeg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 85})
	} else {
		err = png.Encode(&out, img) // text in a screenshot stays sharp
	}
	return out.Bytes(), err
}

func smaller(img image.Image) image.Image {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	long := max(w, h)
	if long <= maxPreview {
		return img
	}
	to := image.NewRGBA(image.Rect(0, 0, max(1, w*maxPreview/long), max(1, h*maxPreview/long)))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), img, img.Bounds(), draw.Src, nil)
	return to
}

// turned carries out the turn that a camera has only noted: the note itself is not kept.
func turned(img image.Image, turn int) image.Image {
	if turn < 2 || turn > 8 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		to = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			u, v := x, y
			switch turn {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = h-1-y, x
			case 7:
				u, v = h-1-y, w-1-x
			case 8:
				u, v = y, w-1-x
			}
			to.Set(u, v, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return to
}

// orientation reads EXIF tag 0x0112 of a JPEG; 1, upright, where there is none.
func orientation(r io.Reader) int {
	head, err := io.ReadAll(r)
	if err != nil {
		return 1
	}
	at := bytes.Index(head, []byte("Exif\x00\x00"))
	if at < 0 || len(head) < at+14 {
		return 1
	}
	tiff := head[at+6:]
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	start := int64(order.Uint32(tiff[4:8]))
	if start+2 > int64(len(tiff)) {
		return 1
	}
	dir := tiff[start:]
	for i := range int(order.Uint16(dir)) {
		field := 2 + 12*i
		if field+12 > len(dir) {
			break
		}
		if order.Uint16(dir[field:]) == 0x0112 {
			return int(order.Uint16(dir[field+8:]))
		}
	}
	return 1
}
