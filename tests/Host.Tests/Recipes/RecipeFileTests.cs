using Merge.Recipes;

namespace Host.Tests.Recipes;

public sealed class RecipeFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("merge-recipe").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void A_recipe_is_read_with_or_without_a_byte_order_mark()
    {
        File.WriteAllBytes(PathOf("r.yaml"), [0xEF, 0xBB, 0xBF, .. "merge_method: linear\r\nmodels: [ä]\r\n"u8]);
        Assert.Equal("ä", RecipeFile.Read(PathOf("r.yaml")).Models[0].Model.Text);
    }

    [Fact]
    public void A_missing_file_is_told() => Assert.Contains("there is no such recipe", Error(PathOf("none.yaml")));

    [Fact]
    public void A_folder_is_told() => Assert.Contains("is a folder", Error(_folder));

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        File.WriteAllBytes(PathOf("r.yaml"), [0x80, 0xFF, 0x00]);
        Assert.Contains("is not text in UTF-8", Error(PathOf("r.yaml")));
    }

    [Fact]
    public void A_file_of_many_megabytes_is_refused()
    {
        using (var file = File.Create(PathOf("big.yaml")))
            file.SetLength(5 << 20);
        Assert.Contains("is 5 MiB long, so it is no recipe", Error(PathOf("big.yaml")));
    }

    private static string Error(string path) => Assert.Single(Expect.Errors(() => RecipeFile.Read(path)));

    private string PathOf(string name) => Path.Combine(_folder, name);
}
